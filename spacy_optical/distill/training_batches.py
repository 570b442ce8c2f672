"""What the student learns from at each step: sentences, pairs, and the teacher's outputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from . import objectives
from .config import DistillConfig
from .loop import Losses, by_length
from .plan_reader import English
from .plan_store import ArrayStore, dense, words_of
from .sentences import Batch, CutSentences, Sentence, collate, drop_words, plain_sentence
from .tagger import Output, WordTagger


@dataclass(frozen=True)
class EnglishStep:
    """English sentences with the teacher's scores [B, W, tags] and last vectors [B, W, d]."""

    batch: Batch
    logits: torch.Tensor
    last: torch.Tensor


@dataclass(frozen=True)
class Step:
    """English sentences, where a step has some; pairs with the teacher's outputs and the plans.

    logits [B, N, tags], last [B, N, d], source [B, M, d], plan [B, M, N], carried [B, N, tags],
    trust [B, N], weight [B, 1].
    """

    english: EnglishStep | None
    target: Batch
    logits: torch.Tensor
    last: torch.Tensor
    source: torch.Tensor
    plan: torch.Tensor
    carried: torch.Tensor
    trust: torch.Tensor
    weight: torch.Tensor


class StudentTask:
    """The student's objective over English and every language at once.

    Of the bitext only the pieces are held; arrays are read when it is their step's turn.

    config (DistillConfig): The config.
    english (English): The English sentences.
    plans (Dict[str, ArrayStore]): The languages.
    pieces (WordPieces): The student's own tokenizer.
    RAISES (OpticalError): If no English or no translated sentence fits the window.
    """

    def __init__(
        self,
        config: DistillConfig,
        english: English,
        plans: dict[str, ArrayStore],
        pieces: WordPieces,
    ) -> None:
        self.config = config
        self.pieces = pieces
        self.weights = config.objective
        self.layer = config.student.middle[0]
        # A trimmed vocabulary splits some words into more pieces than the teacher's did.
        most = config.training.max_pieces - 2
        self.english = english
        self.english_sentences = [
            replace(plain_sentence(s.words, pieces), tags=s.tags, also=s.also)
            for s in english.sentences
        ]
        self.english_kept = [i for i, s in enumerate(self.english_sentences) if len(s) <= most]
        if not self.english_kept:
            raise OpticalError(Errors.E412.format(what="English sentence", most=most + 2))
        self.plans = plans
        self.languages = list(plans)
        rows, lengths = [], []
        targets = {language: one.words("target-words") for language, one in plans.items()}
        self.cut = {language: CutSentences(words, pieces) for language, words in targets.items()}
        for at, cut in enumerate(self.cut.values()):
            kept = np.flatnonzero(cut.lengths <= most)
            rows.append(np.column_stack((np.full_like(kept, at), kept)))
            lengths.append(cut.lengths[kept])
        # A language's number and a pair's, and how many pieces its target side has.
        self.rows, self.lengths = np.concatenate(rows), np.concatenate(lengths)
        if not len(self.rows):
            raise OpticalError(Errors.E412.format(what="translated sentence", most=most + 2))
        sums, counts = zip(*(one.sum("source") for one in plans.values()), strict=True)
        mean = np.sum(sums, axis=0) / max(1, sum(counts))
        self.centre = torch.from_numpy(mean.astype(np.float32))

    def batches(self, rng: np.random.Generator) -> list["StepMaker"]:
        """Give an epoch's pairs, each batch with English sentences drawn beside it."""
        size = self.config.training.batch_size
        share = self.config.training.english
        count = max(1, round(size * share)) if share else 0
        drawn = self._drawn(rng)
        batches = [drawn[batch].tolist() for batch in by_length(self.lengths[drawn], size, rng)]
        english = self._english_stream(len(batches) * count, rng)
        return [
            StepMaker(self, batch, english[at * count : (at + 1) * count])
            for at, batch in enumerate(batches)
        ]

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Draw an epoch's rows: every pair once, or some more often and some not at all.

        Each language gets its share of as many pairs as there are (temperature sampling, Devlin
        2018, multilingual BERT; Conneau and Lample 2019, eq. 1).
        """
        every = np.arange(len(self.rows))
        if self.config.training.sampling_exponent == 1:
            return every
        of_language = [every[self.rows[:, 0] == at] for at in range(len(self.languages))]
        shares = (
            np.array([len(rows) for rows in of_language]) ** self.config.training.sampling_exponent
        )
        counts = np.ceil(shares / shares.sum() * len(every)).astype(int)
        drawn = []
        for rows, wanted in zip(of_language, counts, strict=True):
            again, rest = divmod(int(wanted), max(1, len(rows)))
            drawn += [rows] * again + [rng.permutation(rows)[:rest]]
        return np.concatenate(drawn)

    def _english_stream(self, count: int, rng: np.random.Generator) -> list[int]:
        """Give sentence numbers, every sentence once before any comes again."""
        stream: list[int] = []
        while len(stream) < count:
            stream += [self.english_kept[i] for i in rng.permutation(len(self.english_kept))]
        return stream[:count]

    def losses(self, tagger: WordTagger, batch: "StepMaker") -> Losses:
        """Give the weighted terms of the objective for one step."""
        step = batch.make()
        terms: Losses = {}
        distances = []
        if step.english is not None:
            distances += self._english_terms(tagger, step.english, terms)
        # Translated sentences that no term looks at are not read.
        if not self.weights.reads_english_alone:
            distances += self._target_terms(tagger, step, terms)
        if any(weight for weight, _ in distances):
            weighted = [weight * distance for weight, distance in distances if weight]
            terms["hidden"] = torch.stack(weighted).sum() / len(distances)
        return terms

    def _english_terms(
        self, tagger: WordTagger, english: EnglishStep, terms: Losses
    ) -> list[tuple[float, torch.Tensor]]:
        weights = self.weights
        read = self._read(tagger, english.batch)
        if weights.hard:
            tags, also = english.batch.tags, english.batch.also
            terms["hard"] = weights.hard * objectives.hard(read.logits, tags, also)
        if weights.soft:
            terms["soft"] = weights.soft * objectives.soft(
                read.logits, english.logits, english.batch.words, weights.temperature
            )
        last = _through(tagger.basis, english.last)
        return [(weights.hidden, _distance(read, english.batch, last))]

    def _target_terms(
        self, tagger: WordTagger, step: Step, terms: Losses
    ) -> list[tuple[float, torch.Tensor]]:
        weights, words = self.weights, step.target.words
        read = self._read(tagger, step.target)
        trust = step.trust * step.weight
        if weights.target_kd:
            left = 1 - weights.kd_discount * trust if weights.labels else None
            terms["target_kd"] = weights.target_kd * objectives.soft(
                read.logits, step.logits, words, weights.temperature, left
            )
        if weights.representation:
            vectors = read.words(self.layer, step.target, "mean")
            terms["repr"] = weights.representation * objectives.representation(
                _through(tagger.basis, step.source),
                vectors,
                step.plan,
                _through(tagger.basis, self.centre),
                step.weight,
            )
        if weights.labels:
            terms["labels"] = weights.labels * objectives.labels(
                read.logits, step.carried, trust, words
            )
        last = _through(tagger.basis, step.last)
        return [(weights.hidden_of_target, _distance(read, step.target, last))]

    def split(self, batch: "StepMaker", count: int) -> list[tuple["StepMaker", float]]:
        """Deal out pairs and English sentences in turn; a part counts by its pairs.

        That is exact for `representation`, a mean over pairs. The other terms are means over words,
        and near: pairs of a batch are of like length, and no part has two English sentences more
        than another. `hidden` is measured by the variance within the part.
        """
        # No part without English where there is some: the rest of it would count for more.
        count = min(count, len(batch.rows), len(batch.english) or count)
        parts = [
            replace(batch, rows=batch.rows[at::count], english=batch.english[at::count])
            for at in range(count)
        ]
        return [(part, len(part.rows) / len(batch.rows)) for part in parts]

    def _read(self, tagger: WordTagger, batch: Batch) -> Output:
        return tagger(drop_words(batch, self.config.training.word_dropout, self.pieces.unk_id))


def _through(basis: torch.Tensor | None, vectors: torch.Tensor) -> torch.Tensor:
    """See a teacher's vectors as a student of another width does."""
    return vectors if basis is None else vectors @ basis


def _distance(read: Output, batch: Batch, teacher: torch.Tensor) -> torch.Tensor:
    return objectives.hidden(read.words(-1, batch, "first"), teacher, batch.words)


@dataclass(frozen=True)
class StepMaker:
    """The numbers of a step's sentences; its tensors are read from disk when it is its turn."""

    task: StudentTask
    rows: list[int]
    english: list[int]

    @property
    def pairs(self) -> list[tuple[str, int]]:
        """The pairs' languages and their numbers there."""
        rows = self.task.rows[self.rows].tolist()
        return [(self.task.languages[language], number) for language, number in rows]

    def make(self) -> Step:
        """Read the step's arrays and pad them."""
        task = self.task
        pairs = [task.plans[language][i] for language, i in self.pairs]
        cut = [task.cut[language][i] for language, i in self.pairs]
        words = [words_of(pair["target-words"]) for pair in pairs]
        target = collate(list(map(Sentence, words, cut)), task.pieces)
        width = target.words.shape[1]
        height = max(len(pair["source"]) for pair in pairs)
        plans = np.stack([dense(pair["plan"], (height, width)) for pair in pairs])
        lengths = {"source": height, "weight": 1}
        padded = {
            name: _padded([pair[name] for pair in pairs], lengths.get(name, width))
            for name in ("logits", "last", "source", "carried", "trust", "weight")
        }
        return Step(
            english=self._make_english(),
            target=target,
            plan=torch.from_numpy(plans),
            **padded,
        )

    def _make_english(self) -> EnglishStep | None:
        if not self.english:
            return None
        task = self.task
        batch = collate([task.english_sentences[i] for i in self.english], task.pieces)
        rows, width = [task.english.store[i] for i in self.english], batch.words.shape[1]
        logits, last = (_padded([row[name] for row in rows], width) for name in ("logits", "last"))
        return EnglishStep(batch, logits, last)


def _padded(items: Sequence[np.ndarray], length: int) -> torch.Tensor:
    """Stack arrays [n_i, ...] with zeros behind, in single precision: [B, length, ...]."""
    out = np.zeros((len(items), length, *items[0].shape[1:]), dtype=np.float32)
    for row, item in enumerate(items):
        out[row, : len(item)] = item
    return torch.from_numpy(out)
