"""The student's batches and losses."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from accelerate.utils import send_to_device
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
    Sentence,
    StoredPieces,
    collate,
    drop_words,
    in_other_case,
    plain_sentence,
)
from .tagger import Output, WordTagger


class Side(NamedTuple):
    """Sentences with the teacher's logits [B, W, tags] and last vectors [B, W, d]."""

    batch: Batch
    logits: torch.Tensor
    last: torch.Tensor


class Step(NamedTuple):
    """The tensors of a step: English sentences, if it has some, and target sentences with plans.

    source [B, M, d] has the teacher's middle vectors of the source words, plan [B, M, N] the mass,
    projected [B, N, tags] the projected distributions. trust is [B, N], weight [B, 1].
    """

    english: Side | None
    target: Side
    source: torch.Tensor
    plan: torch.Tensor
    projected: torch.Tensor
    trust: torch.Tensor
    weight: torch.Tensor


class StudentTask:
    """The student's training on English and all target languages.

    Only the pieces of the target sentences are in memory. The arrays of a step are read from disk.

    config (DistillConfig): The config.
    english (English): The English sentences.
    plans (Dict[str, ArrayStore]): The plans of each language.
    pieces (WordPieces): The student's tokenizer.
    RAISES (OpticalError): If no English or no target sentence fits the window.
    """

    def __init__(
        self,
        config: DistillConfig,
        english: English,
        plans: dict[str, ArrayStore],
        pieces: WordPieces,
    ) -> None:
        self.config, self.english, self.plans, self.pieces = config, english, plans, pieces
        self.weights = config.objective
        self.layer = config.student.middle[0]
        # A trimmed vocabulary splits some words into more pieces than the teacher's.
        self.most = most = config.training.max_pieces - 2
        self.english_sentences = [
            replace(plain_sentence(s.words, pieces), tags=s.tags, also=s.also)
            for s in english.sentences
        ]
        self.english_kept = [i for i, s in enumerate(self.english_sentences) if len(s) <= most]
        if not self.english_kept:
            raise OpticalError(Errors.E412.format(what="English sentence", most=most + 2))
        self.languages = list(plans)
        self.stored: list[StoredPieces] = []
        rows, lengths = [], []
        for at, store in enumerate(plans.values()):
            stored = StoredPieces(store.words("target-words"), pieces)
            self.stored.append(stored)
            kept = np.flatnonzero(stored.lengths <= most)
            rows.append(np.column_stack((np.full_like(kept, at), kept)))
            lengths.append(stored.lengths[kept])
        # The numbers of language and pair, and the number of pieces of the target sentence.
        self.rows, self.lengths = np.concatenate(rows), np.concatenate(lengths)
        if not len(self.rows):
            raise OpticalError(Errors.E412.format(what="translated sentence", most=most + 2))
        sums, counts = zip(*(one.sum("source") for one in plans.values()), strict=True)
        mean = np.sum(sums, axis=0) / max(1, sum(counts))
        self.centre = torch.from_numpy(mean.astype(np.float32))

    def batches(self, rng: np.random.Generator) -> list["StepMaker"]:
        """Draw the batches of an epoch, each with pairs and English sentences."""
        size = self.config.training.batch_size
        share = self.config.training.english
        count = max(1, round(size * share)) if share else 0
        drawn = self._drawn(rng)
        batches = [drawn[batch].tolist() for batch in by_length(self.lengths[drawn], size, rng)]
        english: list[int] = []
        while len(english) < len(batches) * count:  # each sentence once before any is repeated
            english += rng.permutation(self.english_kept).tolist()
        return [
            StepMaker(self, batch, english[at * count : (at + 1) * count])
            for at, batch in enumerate(batches)
        ]

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the rows of an epoch by temperature sampling (Conneau and Lample 2019, eq. 1)."""
        exponent = self.config.training.sampling_exponent
        if exponent == 1:
            return np.arange(len(self.rows))
        of_language = [np.flatnonzero(self.rows[:, 0] == at) for at in range(len(self.languages))]
        shares = np.array([len(rows) for rows in of_language]) ** exponent
        counts = np.ceil(shares / shares.sum() * len(self.rows)).astype(int)
        drawn = []
        for rows, wanted in zip(of_language, counts, strict=True):
            again, rest = divmod(int(wanted), max(1, len(rows)))
            drawn += [rows] * again + [rng.permutation(rows)[:rest]]
        return np.concatenate(drawn)

    def losses(self, tagger: WordTagger, batch: "StepMaker") -> Losses:
        """Compute the weighted losses of a step by name."""
        step = send_to_device(batch.make(), tagger.device)
        weights, tau, terms, distances = self.weights, self.weights.temperature, Losses(), []
        if (english := step.english) is not None:
            read, words = self._read(tagger, english), english.batch.words
            if weights.hard:
                loss = objectives.hard(read.logits, english.batch.tags, english.batch.also)
                terms["hard"] = weights.hard * loss
            if weights.soft:
                loss = objectives.soft(read.logits, english.logits, words, tau)
                terms["soft"] = weights.soft * loss
            distances.append((weights.hidden, _distance(tagger, read, english)))
        if not weights.english_only:
            target, words, trust = step.target, step.target.batch.words, step.trust * step.weight
            read = self._read(tagger, target)
            if weights.target_kd:
                left = 1 - weights.kd_discount * trust if weights.labels else None
                loss = objectives.soft(read.logits, target.logits, words, tau, left)
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
            distances.append((weights.hidden_of_target, _distance(tagger, read, target)))
        if any(weight for weight, _ in distances):
            weighted = [weight * distance for weight, distance in distances if weight]
            terms["hidden"] = torch.stack(weighted).sum() / len(distances)
        return terms

    def split(self, batch: "StepMaker", count: int) -> list[tuple["StepMaker", float]]:
        """Split pairs and English sentences evenly. The share of a part is that of its pairs.

        This is exact for `representation`, a mean over pairs, and approximate for the other losses,
        which are means over words: the pairs of a batch have similar lengths. `hidden` uses the
        variance within the part.
        """
        # Each part has English, if the batch has some: other shares would be wrong.
        count = min(count, len(batch.rows), len(batch.english) or count)
        parts = [
            batch._replace(rows=batch.rows[at::count], english=batch.english[at::count])
            for at in range(count)
        ]
        return [(part, len(part.rows) / len(batch.rows)) for part in parts]

    def _read(self, tagger: WordTagger, side: Side) -> Output:
        return tagger(drop_words(side.batch, self.config.training.word_dropout, self.pieces.unk_id))


def _through(basis: torch.Tensor | None, vectors: torch.Tensor) -> torch.Tensor:
    """Project a teacher's vectors to the dimensions of a narrower student."""
    return vectors if basis is None else vectors @ basis.to(vectors.device)


def _distance(tagger: WordTagger, read: Output, side: Side) -> torch.Tensor:
    last = _through(tagger.basis, side.last)
    return objectives.hidden(read.words(-1, side.batch, "first"), last, side.batch.words)


class StepMaker(NamedTuple):
    """The numbers of a step's sentences. `make` reads the tensors from disk."""

    task: StudentTask
    rows: list[int]
    english: list[int]

    @property
    def pairs(self) -> list[tuple[str, int]]:
        """The language of each pair, and its number in the language."""
        rows = self.task.rows[self.rows].tolist()
        return [(self.task.languages[language], number) for language, number in rows]

    def make(self) -> Step:
        """Read the step's arrays and pad them."""
        task = self.task
        pairs = [task.plans[language][i] for language, i in self.pairs]
        words = [words_of(pair["target-words"]) for pair in pairs]
        split = [task.stored[language][i] for language, i in task.rows[self.rows].tolist()]
        target = self._side(list(map(Sentence, words, split)), pairs)
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
        cased = [in_other_case(one, share, pieces, self.task.most) for one in sentences]
        return Side(collate(cased, pieces), logits, last)


def _padded(items: Sequence[np.ndarray]) -> torch.Tensor:
    """Stack arrays [n_i, ...] with zero padding, float32 [B, n, ...]."""
    return pad_sequence([torch.tensor(item, dtype=torch.float32) for item in items], True)
