"""Labels from an English pipeline, through plans, to a labelled file in another language."""

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
from ..files import check_replaceable, folder_written_whole, write_json
from . import THRESHOLD
from .pair import AlignedPair, project_pair
from .words import check_map, load_labeller, sentence_of

SPANS_KEY = "optical"
MARKER = "projection.json"
BINS = 10


@dataclass
class ProjectionSummary:
    """What a run read, left out and projected.

    read, written (int): Usable pairs of the file, and documents that were written.
    skipped (Counter): Pairs left out, by the code of the reason.
    escaped (Counter): Pairs with HTML entities (`html`) and with doubled quotes (`quotes`).
    source, projected (Counter): Source and target entities by type.
    unsure (int): Projected entities below the threshold, left out.
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

    bitext (Union[str, Path]): See `read_bitext`.
    out (Union[str, Path]): The `.spacy` file to write: target documents with entities, and the same
        spans in `doc.spans["optical"]`, whose attribute `scores` holds each one's confidence.
    labeller (Union[str, Path, Language]): Any spaCy pipeline with entities for the source language:
        its name, its folder, or a pipeline that is loaded.
    encoder (Union[str, Path, WordEncoder]): The encoder's folder, or an encoder that is loaded.
    target_lang (Optional[str]): The target language, which also chooses the tokenizer; by default
        read off the bitext's name.
    source_lang (str): The source language.
    keys (Optional[Tuple[str, str]]): What the bitext calls source and target, see `read_bitext`.
    format (Optional[str]): The bitext's format, if the name does not tell.
    unescape (bool): Turn HTML entities and doubled quotes into characters, see `read_bitext`.
    labels (Optional[Mapping[str, str]]): New names of labels; labels not in it are left out.
    config (Optional[AlignConfig]): The alignment's settings.
    threshold (float): Confidence below which an entity is left out, 0 to 1.
    on_error (str): `raise`, or `skip` and count pairs that cannot be used.
    shard_size (Optional[int]): Make `out` a folder of files of so many documents, and
        projection.json with the counts; memory then does not grow with the bitext.
    chunk (int): Pairs held in memory as vectors at a time.
    say (Callable[[int], None]): Called with the number of pairs done after each chunk.
    RETURNS (ProjectionSummary): Counts.
    RAISES (OpticalError): As `read_bitext`; on a pair that cannot be aligned, or is less parallel
        than `config.skip_below`, unless `on_error` is `skip`; if nothing is left to write; if the
        labeller lacks a label of the map, something else is at `out`, or as `tokenizer_for`.
    """
    out, config = Path(out), config or AlignConfig()
    language = target_lang or target_language(bitext)
    summary = ProjectionSummary()
    target_tokenizer = tokenizer_for(language)
    if shard_size is not None:
        check_replaceable(out, marker=MARKER)
    elif out.is_dir():
        raise OpticalError(Errors.E004.format(path=out, what="a file"))
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
            # spaCy remembers every word it has seen, unless it is asked to forget.
            with pipeline.memory_zone(), target_tokenizer.memory_zone():
                sources = [
                    sentence_of(doc, labels) for doc in pipeline.pipe(p.source for p in part)
                ]
                targets = [sentence_of(target_tokenizer(pair.target)) for pair in part]
                left = encoder.vectors([sentence.words for sentence in sources])
                right = encoder.vectors([sentence.words for sentence in targets])
                for pair, source, target, x, y in zip(
                    part, sources, targets, left, right, strict=True
                ):
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
                    summary.written += 1
                    _count(projected, summary)
                    yield _labelled(projected)
            say(summary.read)
        if not summary.written:
            raise OpticalError(_nothing_left(bitext, summary))

    if shard_size is None:
        write_docs(documents(), out)
    else:
        with folder_written_whole(out, marker=MARKER) as folder:
            write_shards(documents(), folder, shard_size)
            write_json(folder / MARKER, vars(summary))
    return summary


def target_language(bitext: str | Path) -> str:
    """Read the target language off a name such as `sw.jsonl` or `en-sw.tsv.gz`.

    bitext (Union[str, Path]): The bitext's path.
    RETURNS (str): The code.
    RAISES (OpticalError): If the name ends in no two or three letters.
    """
    stem = Path(bitext).name.partition(".")[0]
    code = stem.rpartition("-")[2]
    if not (code.isalpha() and code.islower() and len(code) in (2, 3)):
        raise OpticalError(Errors.E319.format(path=bitext))
    return code


def _nothing_left(bitext: str | Path, summary: ProjectionSummary) -> str:
    if not summary.skipped:
        return Errors.E206.format(path=bitext)
    skipped = ", ".join(f"{count} {code}" for code, count in sorted(summary.skipped.items()))
    return Errors.E322.format(path=bitext, skipped=skipped)


def _count(pair: AlignedPair, summary: ProjectionSummary) -> None:
    for span in pair.spans:
        summary.histogram[min(BINS - 1, int(span.confidence * BINS))] += 1
    summary.unsure += len(pair.spans) - len(pair.kept)
    summary.projected.update(span.label for span in pair.kept)


def _labelled(pair: AlignedPair) -> Doc:
    doc, tokens = pair.target.doc, pair.target.tokens
    spans = [Span(doc, tokens[s.start], tokens[s.end - 1] + 1, label=s.label) for s in pair.kept]
    doc.set_ents(spans)
    scores = [round(float(s.confidence), 4) for s in pair.kept]
    doc.spans[SPANS_KEY] = SpanGroup(doc, name=SPANS_KEY, attrs={"scores": scores}, spans=spans)
    return doc
