"""What the student learns from at each step: sentences, pairs, and the teacher's outputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from . import objectives
from .config import DistillConfig
from .loop import Losses, by_length
from .plan_reader import English
from .plan_store import Arrays, ArrayStore, dense, words_of
from .sentences import (
    Batch,
    CutSentences,
    Sentence,
    collate,
    drop_words,
    in_other_case,
    moved,
    plain_sentence,
)
from .tagger import Output, WordTagger


@dataclass(frozen=True)
class Side:
    """Sentences with the teacher's scores [B, W, tags] and last vectors [B, W, d]."""

    batch: Batch
    logits: torch.Tensor
    last: torch.Tensor


@dataclass(frozen=True)
class Step:
    """English sentences, where a step has some, and pairs: target sentences and their plans.

    source [B, M, d] are the teacher's middle vectors of the translations, plan [B, M, N] the mass,
    projected [B, N, tags] the projected distributions, trust [B, N] and weight [B, 1].
    """

    english: Side | None
    target: Side
    source: torch.Tensor
    plan: torch.Tensor
    projected: torch.Tensor
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
        self.most = most = config.training.max_pieces - 2
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
        step = moved(batch.make(), tagger.device)
        weights, terms, distances = self.weights, Losses(), []
        if step.english is not None:
            read, english = self._read(tagger, step.english), step.english
            if weights.hard:
                loss = objectives.hard(read.logits, english.batch.tags, english.batch.also)
                terms["hard"] = weights.hard * loss
            if weights.soft:
                loss = objectives.soft(
                    read.logits, english.logits, english.batch.words, weights.temperature
                )
                terms["soft"] = weights.soft * loss
            distances.append((weights.hidden, _distance(tagger, read, english)))
        # Translated sentences that no term looks at are not read.
        if not weights.reads_english_alone:
            read = self._read(tagger, step.target)
            self._add_target_terms(tagger, read, step, terms)
            distances.append((weights.hidden_of_target, _distance(tagger, read, step.target)))
        if any(weight for weight, _ in distances):
            weighted = [weight * distance for weight, distance in distances if weight]
            terms["hidden"] = torch.stack(weighted).sum() / len(distances)
        return terms

    def _add_target_terms(
        self, tagger: WordTagger, read: Output, step: Step, terms: Losses
    ) -> None:
        weights, target, words = self.weights, step.target, step.target.batch.words
        trust = step.trust * step.weight
        if weights.target_kd:
            left = 1 - weights.kd_discount * trust if weights.labels else None
            loss = objectives.soft(read.logits, target.logits, words, weights.temperature, left)
            terms["target_kd"] = weights.target_kd * loss
        if weights.representation:
            loss = objectives.representation(
                _through(tagger.basis, step.source),
                read.words(self.layer, target.batch, "mean"),
                step.plan,
                _through(tagger.basis, self.centre.to(tagger.device)),
                step.weight,
            )
            terms["repr"] = weights.representation * loss
        if weights.labels:
            loss = objectives.labels(read.logits, step.projected, trust, words)
            terms["labels"] = weights.labels * loss

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

    def _read(self, tagger: WordTagger, side: Side) -> Output:
        return tagger(drop_words(side.batch, self.config.training.word_dropout, self.pieces.unk_id))


def _through(basis: torch.Tensor | None, vectors: torch.Tensor) -> torch.Tensor:
    """Give a teacher's vectors in the dimensions of a narrower student."""
    return vectors if basis is None else vectors @ basis.to(vectors.device)


def _distance(tagger: WordTagger, read: Output, side: Side) -> torch.Tensor:
    last = _through(tagger.basis, side.last)
    return objectives.hidden(read.words(-1, side.batch, "first"), last, side.batch.words)


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
        words = [words_of(pair["target-words"]) for pair in pairs]
        cut = [task.cut[language][i] for language, i in self.pairs]
        target = self._side(list(map(Sentence, words, cut)), pairs)
        shape = (max(len(pair["source"]) for pair in pairs), target.batch.words.shape[1])
        plans = np.stack([dense(pair["plan"], shape) for pair in pairs])
        names = ("source", "projected", "trust", "weight")
        padded = {name: _padded([pair[name] for pair in pairs]) for name in names}
        english = None
        if self.english:
            sentences = [task.english_sentences[i] for i in self.english]
            english = self._side(sentences, [task.english.store[i] for i in self.english])
        return Step(english=english, target=target, plan=torch.from_numpy(plans), **padded)

    def _side(self, sentences: Sequence[Sentence], arrays: Sequence[Arrays]) -> Side:
        logits, last = (_padded([one[name] for one in arrays]) for name in ("logits", "last"))
        share, pieces = self.task.config.training.case_share, self.task.pieces
        written = [in_other_case(one, share, pieces, self.task.most) for one in sentences]
        return Side(collate(written, pieces), logits, last)


def _padded(items: Sequence[np.ndarray]) -> torch.Tensor:
    """Stack arrays [n_i, ...] with zeros behind, in single precision: [B, n, ...]."""
    return pad_sequence([torch.tensor(item, dtype=torch.float32) for item in items], True)
