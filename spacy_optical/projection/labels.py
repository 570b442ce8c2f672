"""Project the labels of a spaCy pipeline through bitext to a labelled file in another language."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from ..align import AlignConfig
from ..data.bitext import Format, OnError, read_bitext
from ..data.docs import write_docs, write_shards
from ..data.word_tokenizer import tokenizer_for
from ..encoders.word_vectors import WordEncoder
from ..errors import Errors, OpticalError
from ..files import check_no_input, check_replaceable, folder_written_whole, write_json
from . import THRESHOLD
from .pair import AlignedPair, project_pair
from .words import check_map, load_labeller, sentence_of

SPANS_KEY = "optical"
MARKER = "projection.json"
BINS = 10


@dataclass
class ProjectionSummary:
    """The counts of a run of `project_labels`.

    read, written (int): Usable pairs that were read, and documents that were written.
    skipped (Counter): Skipped pairs, by error code.
    escaped (Counter): Pairs with HTML entities (`html`) and with doubled quotes (`quotes`).
    source, projected (Counter): Source and target entities, by label.
    unsure (int): Projected entities below the threshold, which are left out.
    histogram (List[int]): Projected entities by confidence, in ten bins from 0 to 1.
    """

    read: int = 0
    written: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    escaped: Counter[str] = field(default_factory=Counter)
    source: Counter[str] = field(default_factory=Counter)
    projected: Counter[str] = field(default_factory=Counter)
    unsure: int = 0
    histogram: list[int] = field(default_factory=lambda: [0] * BINS)

    def add(self, pair: AlignedPair) -> None:
        """Count the projected entities of a pair."""
        self.written += 1
        for span in pair.spans:
            self.histogram[min(BINS - 1, int(span.confidence * BINS))] += 1
        self.unsure += len(pair.spans) - len(pair.kept)
        self.projected.update(span.label for span in pair.kept)

    def __add__(self, other: "ProjectionSummary") -> "ProjectionSummary":
        """Add the counts of two runs."""
        added = {name: value + getattr(other, name) for name, value in vars(self).items()}
        added["histogram"] = [a + b for a, b in zip(self.histogram, other.histogram, strict=True)]
        return ProjectionSummary(**added)


def project_labels(
    bitext: str | Path,
    out: str | Path,
    *,
    labeller: str | Path | Language,
    encoder: str | Path | WordEncoder,
    target_lang: str | None = None,
    source_lang: str = "en",
    keys: tuple[str, str] | None = None,
    format: Format | None = None,
    unescape: bool = False,
    labels: Mapping[str, str] | None = None,
    config: AlignConfig | None = None,
    threshold: float = THRESHOLD,
    on_error: OnError = "raise",
    shard_size: int | None = None,
    chunk: int = 512,
    say: Callable[[int], None] = lambda done: None,
) -> ProjectionSummary:
    """Label the source side of bitext and project the labels to the target side.

    bitext (Union[str, Path]): The bitext, see `read_bitext`.
    out (Union[str, Path]): The `.spacy` file to write. Its documents have the entities in
        `doc.ents` and in `doc.spans["optical"]`, which has their confidences in the attribute
        `scores`.
    labeller (Union[str, Path, Language]): A spaCy pipeline that finds entities in the source
        language: its name or folder, or a loaded pipeline.
    encoder (Union[str, Path, WordEncoder]): The folder of an encoder, or a loaded encoder.
    target_lang (Optional[str]): The target language, which selects the tokenizer. The default is
        taken from the name of the bitext.
    source_lang (str): The source language.
    keys (Optional[Tuple[str, str]]): The names of source and target in the bitext, see
        `read_bitext`.
    format (Optional[str]): The format of the bitext. The default is taken from its name.
    unescape (bool): Replace HTML entities and doubled quotes, see `read_bitext`.
    labels (Optional[Mapping[str, str]]): New names by label. Other labels are left out.
    config (Optional[AlignConfig]): The settings of the alignment.
    threshold (float): The minimum confidence of an entity, 0 to 1.
    on_error (str): `raise`, or `skip` to skip and count pairs that cannot be used.
    shard_size (Optional[int]): The number of documents in a file. `out` is then a folder of such
        files with the counts in projection.json, and less memory is used.
    chunk (int): The number of pairs that are processed at a time.
    say (Callable[[int], None]): Called with the number of processed pairs after each chunk.
    RETURNS (ProjectionSummary): The counts.
    RAISES (OpticalError): As `read_bitext` and `tokenizer_for`; if a pair cannot be aligned or its
        similarity is below `config.skip_below`, unless `on_error` is `skip`; if no pair can be
        used, the labeller does not have a label of the map, or `out` has other content.
    """
    out, config = Path(out), config or AlignConfig()
    language = target_lang or target_language(bitext)
    summary = ProjectionSummary()
    target_tokenizer = tokenizer_for(language)
    if shard_size is not None:
        check_replaceable(out, marker=MARKER)
    elif out.is_dir():
        raise OpticalError(Errors.E004.format(path=out, what="a file"))
    check_no_input(out, [bitext])
    pipeline = load_labeller(labeller)
    if labels is not None:
        check_map(labels, pipeline)
    encoder = WordEncoder(encoder) if isinstance(encoder, str | Path) else encoder
    pairs = read_bitext(
        bitext,
        source_lang=source_lang,
        target_lang=language,
        keys=keys,
        format=format,
        unescape=unescape,
        on_error=on_error,
        skipped=summary.skipped,
        escaped=summary.escaped,
    )

    def documents() -> Iterator[Doc]:
        while part := list(islice(pairs, chunk)):
            summary.read += len(part)
            # Without memory zones, spaCy would keep every word in memory.
            with pipeline.memory_zone(), target_tokenizer.memory_zone():
                docs = pipeline.pipe(pair.source for pair in part)
                sources = [sentence_of(doc, labels) for doc in docs]
                targets = [sentence_of(target_tokenizer(pair.target)) for pair in part]
                left = encoder.vectors([sentence.words for sentence in sources])
                right = encoder.vectors([sentence.words for sentence in targets])
                sides = zip(part, sources, targets, left, right, strict=True)
                for pair, source, target, x, y in sides:
                    summary.source.update(label for _, _, label in source.spans)
                    try:
                        projected = project_pair(source, target, x, y, config, threshold)
                        if not projected.usable:
                            raise OpticalError(Errors.E320.format(found=projected.plan.similarity))
                    except OpticalError as err:
                        if on_error == "raise":
                            raise err.at(pair.where) from err
                        summary.skipped[err.code] += 1
                        continue
                    summary.add(projected)
                    yield _labelled(projected)
            say(summary.read)
        if not summary.written:
            skipped = ", ".join(f"{n} {code}" for code, n in sorted(summary.skipped.items()))
            error = Errors.E322 if skipped else Errors.E206
            raise OpticalError(error.format(path=bitext, skipped=skipped))

    if shard_size is None:
        write_docs(documents(), out)
    else:
        with folder_written_whole(out, marker=MARKER) as folder:
            write_shards(documents(), folder, shard_size)
            write_json(folder / MARKER, vars(summary))
    return summary


def target_language(bitext: str | Path) -> str:
    """Get the target language from a file name such as `sw.jsonl` or `en-sw.tsv.gz`.

    bitext (Union[str, Path]): The path of the bitext.
    RETURNS (str): The language code.
    RAISES (OpticalError): If the name does not end in two or three lower-case letters.
    """
    code = Path(bitext).name.partition(".")[0].rpartition("-")[2]
    if not (code.isalpha() and code.islower() and len(code) in (2, 3)):
        raise OpticalError(Errors.E319.format(path=bitext))
    return code


def _labelled(pair: AlignedPair) -> Doc:
    doc, tokens = pair.target.doc, pair.target.tokens
    spans = [Span(doc, tokens[s.start], tokens[s.end - 1] + 1, label=s.label) for s in pair.kept]
    doc.set_ents(spans)
    scores = [round(float(s.confidence), 4) for s in pair.kept]
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, attrs={"scores": scores}, spans=spans)
    return doc
