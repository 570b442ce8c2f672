"""`optical_ner`: named entity recognition with a small distilled transformer, without torch."""

import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from numbers import Real
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.pipeline.pipe import Pipe
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors, OpticalError, Warnings
from ..runtime.bundle import BundleInfo, model_path, read_info
from ..runtime.decode import LabelledSpan, decode
from ..runtime.shared import CPU
from ..runtime.word_tokens import words_to_read
from .bundle_pipe import BundlePipe
from .entities import sentence_starts, write_entities
from .span_score import register_score

# The maximum number of words in a batch of `pipe`.
MAX_BUFFERED_WORDS = 2_000


@Language.factory(
    "optical_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "span._.score", "doc.spans"],
    default_config={
        "providers": list(CPU),
        "min_score": {},
        "label_map": {},
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
class OpticalNER(BundlePipe, Pipe):
    """Finds named entities with the model of a bundle.

    Entities are written to `doc.ents`, and their scores to `ent._.score` (see
    `runtime.decode.decode`). No entity crosses a sentence start that is set on the document. The
    model does not see tokens of whitespace or invisible characters. An entity may contain them, but
    never starts or ends with one. Long texts are divided into overlapping windows.

    nlp (Language): The pipeline.
    name (str): The component's name in the pipeline.
    model (Optional[str]): The name of a model of the package, or a bundle's folder.
        Defaults to `md`. It is loaded at first use, unless `from_disk` or `from_bytes` has loaded a
        bundle.
    threads (int): The number of threads that run the model.
    max_batch_pieces (int): The maximum number of subword pieces in one batch, padding included.
        Limits memory.
    overlap (int): The number of pieces that two consecutive windows of a long text share.
    providers (Sequence[str]): ONNX Runtime's execution providers, in order of preference.
    threshold (float): The minimum score of an entity, 0 to 1, for all labels.
    min_score (Optional[Dict[str, float]]): Minimum scores for single labels, by their name in
        `doc.ents`.
    label_map (Optional[Dict[str, str]]): The label to write to `doc.ents` for a label of the model.
        Other labels keep their name.
    overwrite (bool): Whether a predicted entity replaces the entities in `doc.ents` that it
        overlaps. If not, they stay, and the predicted entity is not written to `doc.ents`.
    spans_key (Optional[str]): A group in `doc.spans` to which all predicted entities are written,
        with their scores in `.attrs["scores"]`. spaCy does not update span groups when tokens are
        merged or split, so do not use this if a later component does that.
    scorer (Optional[Callable]): The scoring method.
    RAISES (OpticalError): If a setting is out of range, there is no bundle, or `label_map` or
        `min_score` has a label that the model does not have. When spaCy loads a pipeline, the
        bundle in the pipeline is checked instead.
    """

    def __init__(
        self,
        nlp: Language,
        name: str = "optical_ner",
        model: str | None = None,
        threads: int = 1,
        max_batch_pieces: int = 1024,
        overlap: int = 32,
        providers: Sequence[str] = CPU,
        threshold: float = 0.0,
        min_score: dict[str, float] | None = None,
        label_map: dict[str, str] | None = None,
        overwrite: bool = False,
        spans_key: str | None = None,
        scorer: Callable | None = None,
    ) -> None:
        self.name = name
        self.threshold = threshold
        self.min_score = dict(min_score or {})
        self.label_map = dict(label_map or {})
        self.overwrite = overwrite
        self.spans_key = spans_key
        self.scorer = scorer
        self._configure(model, threads, max_batch_pieces, overlap, providers)
        by_label = {f"min_score of {label}": least for label, least in self.min_score.items()}
        for setting, least in {"threshold": threshold, **by_label}.items():
            if not (isinstance(least, Real) and 0 <= least <= 1):
                raise OpticalError(
                    Errors.E114.format(name=setting, value=repr(least), expected="between 0 and 1")
                )
        for label, renamed in self.label_map.items():
            if not renamed:
                setting = f"label_map of {label}"
                raise OpticalError(
                    Errors.E114.format(name=setting, value=repr(renamed), expected="a name")
                )
        if not register_score():
            warnings.warn(Warnings.W103.format(name=name), stacklevel=2)
        self._check_path()
        for other, pipe in nlp.components:
            if isinstance(pipe, OpticalNER) and pipe.spans_key == spans_key is not None:
                message = Warnings.W102.format(first=other, second=name, key=spans_key)
                warnings.warn(message, stacklevel=2)

    def _check(self, info: BundleInfo, where: str | Path) -> None:
        """Raise an error if `label_map` or `min_score` has a label that the model does not have."""
        for setting, used, allowed in (
            ("label_map", self.label_map, info.labels),
            ("min_score", self.min_score, self._renamed(info)),
        ):
            unknown = sorted(set(used) - set(allowed))
            if unknown:
                message = Errors.E115.format(
                    setting=setting,
                    name=self.name,
                    unknown=", ".join(unknown),
                    labels=", ".join(sorted(allowed)),
                )
                raise OpticalError(message)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the component can write to `doc.ents`, sorted.

        If the model is not loaded yet, only the bundle's manifest is read. spaCy uses this property
        while it loads a pipeline. If there is no bundle yet, there are no labels.
        """
        if self._runtime is not None:
            return self._renamed(self._runtime.bundle.info)
        try:
            return self._renamed(read_info(model_path(self._model)))
        except OpticalError:
            return ()

    def _renamed(self, info: BundleInfo) -> tuple[str, ...]:
        return tuple(sorted({self.label_map.get(label, label) for label in info.labels}))

    @property
    def label_data(self) -> tuple[str, ...]:
        """The labels, as data for `initialize`."""
        return self.labels

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Check that the model has the labels of the data. The model is not trained.

        Unknown labels in examples only cause a warning, because another component of the pipeline
        may learn them.

        get_examples (Callable[[], Iterable[Example]]): Returns gold-standard examples.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Sequence[str]]): Labels that the model must have. If given, the examples
            are not read.
        RAISES (OpticalError): If the model does not have one of `labels`, or cannot be read.
        """
        if labels is None:
            wanted = {ent.label_ for example in get_examples() for ent in example.reference.ents}
        else:
            wanted = set(labels)
        known = self._renamed(self.runtime.bundle.info)
        unknown = ", ".join(sorted(wanted - set(known)))
        if not unknown:
            return
        names = {"name": self.name, "unknown": unknown, "labels": ", ".join(known)}
        if labels is not None:
            raise OpticalError(Errors.E116.format(**names))
        warnings.warn(Warnings.W101.format(**names), stacklevel=2)

    def __call__(self, doc: Doc) -> Doc:
        """Find the entities of one document.

        doc (Doc): The document; changed in place.
        RETURNS (Doc): The same document.
        """
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Find the entities of a stream of documents.

        If a batch fails, its documents are processed one by one. Only documents that fail again are
        passed to the error handler.

        stream (Iterable[Doc]): The documents; changed in place.
        batch_size (int): The maximum number of documents in a batch.
        YIELDS (Doc): The documents, in order.
        """
        error_handler = self.get_error_handler()
        for docs in _read_ahead(stream, batch_size):
            entities: list[list[LabelledSpan]] | None
            try:
                entities = self.predict(docs)
            except Exception:  # handled below, for each document that fails alone
                entities = None
            for index, doc in enumerate(docs):
                try:
                    spans = self.predict([doc])[0] if entities is None else entities[index]
                    self.set_annotations([doc], [spans])
                except Exception as err:
                    error_handler(self.name, self, [doc], err)
                    continue
                yield doc
            docs.clear()  # frees the documents before the next batch

    def predict(self, docs: Sequence[Doc]) -> list[list[LabelledSpan]]:
        """Predict entities without changing the documents.

        docs (Sequence[Doc]): The documents.
        RETURNS (List[List[LabelledSpan]]): The entities of each document, from the minimum score.
            Start and end are tokens, and labels are those of `doc.ents`.
        """
        runtime = self.runtime
        words = [words_to_read(doc) for doc in docs]
        logits = runtime.scores([texts for _, texts in words])
        # The documents are decoded together, which is less work for each.
        first = [0, *accumulate(map(len, logits))]
        starts = set(first)
        for doc, (tokens, _), at in zip(docs, words, first, strict=False):
            starts.update(at + start for start in sentence_starts(doc, tokens))
        scores = np.concatenate([np.empty((0, len(runtime.tags)), np.float32), *logits])
        entities: list[list[LabelledSpan]] = [[] for _ in docs]
        for span in decode(scores, runtime.tags, sent_starts=sorted(starts - {first[-1]})):
            label = self.label_map.get(span.label, span.label)
            if span.score >= self.min_score.get(label, self.threshold):
                number = bisect_right(first, span.start) - 1
                tokens, at = words[number][0], first[number]
                start, end = tokens[span.start - at], tokens[span.end - 1 - at] + 1
                entities[number].append(LabelledSpan(start, end, label, span.score))
        return entities

    def set_annotations(self, docs: Iterable[Doc], entities: Iterable[list[LabelledSpan]]) -> None:
        """Write entities to the documents.

        docs (Iterable[Doc]): The documents; changed in place.
        entities (Iterable[List[LabelledSpan]]): The entities of each document, from `predict`.
        """
        for doc, spans in zip(docs, entities, strict=True):
            write_entities(doc, spans, spans_key=self.spans_key, overwrite=self.overwrite)


def _read_ahead(stream: Iterable[Doc], batch_size: int) -> Iterator[list[Doc]]:
    """Divide documents into batches with a maximum number of documents and of words."""
    docs: list[Doc] = []
    n_words = 0
    for doc in stream:
        docs.append(doc)
        n_words += len(doc)
        if len(docs) >= batch_size or n_words >= MAX_BUFFERED_WORDS:
            yield docs
            docs, n_words = [], 0
    if docs:
        yield docs


make_optical_ner = OpticalNER  # the name in the entry points of installations
