"""What the student learns from at each step: sentences, pairs, and what the teacher said."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from . import objectives
from .config import DistillConfig
from .loop import Losses, by_length
from .plans import Lesson, student_layers
from .sentences import Batch, collate, plain_sentence
from .tagger import WordTagger, first_pieces, mean_pieces


@dataclass(frozen=True)
class Step:
    """English sentences with the teacher's scores and vectors; pairs with the same and the plans.

    english_logits [B, W, tags], english_last [B, W, d]; logits [B, N, tags], last [B, N, d],
    source [B, M, d], plan [B, M, N], carried [B, N, tags], trust [B, N].
    """

    english: Batch
    english_logits: torch.Tensor
    english_last: torch.Tensor
    target: Batch
    logits: torch.Tensor
    last: torch.Tensor
    source: torch.Tensor
    plan: torch.Tensor
    carried: torch.Tensor
    trust: torch.Tensor


class StudentRecipe:
    """The student's objective over English and every language at once.

    config (DistillConfig): The config.
    english (Lesson): The English sentences, as both sides of their pairs.
    lessons (Dict[str, Lesson]): The languages.
    pieces (WordPieces): The student's own tokenizer.
    RAISES (OpticalError): If no English or no translated sentence fits the window.
    """

    def __init__(
        self,
        config: DistillConfig,
        english: Lesson,
        lessons: dict[str, Lesson],
        pieces: WordPieces,
    ) -> None:
        self.config = config
        self.pieces = pieces
        self.weights = config.objective
        self.layer = student_layers(config)[0]
        # A trimmed vocabulary splits some words into more pieces than the teacher's did.
        most = config.training.max_pieces - 2
        self.english = english
        gold = [pair.source.tags for pair in english.pairs]
        self.english_sentences = [
            plain_sentence(pair.source.words, pieces) for pair in english.pairs
        ]
        self.gold = gold
        self.english_kept = [i for i, s in enumerate(self.english_sentences) if len(s) <= most]
        if not self.english_kept:
            raise OpticalError(Errors.E412.format(what="English sentence", most=most + 2))
        self.lessons = lessons
        self.targets = {
            language: [plain_sentence(pair.target.words, pieces) for pair in lesson.pairs]
            for language, lesson in lessons.items()
        }
        self.rows = [
            (language, i)
            for language, sentences in self.targets.items()
            for i, sentence in enumerate(sentences)
            if len(sentence) <= most
        ]
        if not self.rows:
            raise OpticalError(Errors.E412.format(what="translated sentence", most=most + 2))
        vectors = np.concatenate([lesson.arrays["source"].values[:] for lesson in lessons.values()])
        self.centre = torch.from_numpy(vectors.mean(axis=0, dtype=np.float32))

    def batches(self, chance: np.random.Generator) -> list["StepMaker"]:
        """Give every pair once, each batch with English sentences drawn beside it."""
        size = self.config.training.batch_size
        count = max(1, round(size * self.config.training.english))
        lengths = [len(self.targets[language][i]) for language, i in self.rows]
        batches = by_length(lengths, size, chance)
        english = self._english_stream(len(batches) * count, chance)
        return [
            StepMaker(self, [self.rows[i] for i in batch], english[at * count : (at + 1) * count])
            for at, batch in enumerate(batches)
        ]

    def _english_stream(self, count: int, chance: np.random.Generator) -> list[int]:
        """Give sentence numbers, every sentence once before any comes again."""
        stream: list[int] = []
        while len(stream) < count:
            stream += [self.english_kept[i] for i in chance.permutation(len(self.english_kept))]
        return stream[:count]

    def losses(self, tagger: WordTagger, batch: "StepMaker") -> Losses:
        """Give the weighted terms of the objective for one step."""
        step, weights = batch.make(), self.weights
        english, target = tagger(step.english), tagger(step.target)
        words, target_words = step.english.words, step.target.words
        terms: Losses = {}
        if weights.hard:
            terms["hard"] = weights.hard * objectives.hard(english.logits, step.english.tags)
        if weights.soft:
            terms["soft"] = weights.soft * objectives.soft(
                english.logits, step.english_logits, words, weights.temperature
            )
        if weights.own:
            terms["own"] = weights.own * objectives.soft(
                target.logits, step.logits, target_words, weights.temperature
            )
        if weights.hidden:
            sides = [
                objectives.hidden(first_pieces(output.hidden[-1], side), last, side.words)
                for output, side, last in (
                    (english, step.english, step.english_last),
                    (target, step.target, step.last),
                )
            ]
            terms["hidden"] = weights.hidden * torch.stack(sides).mean()
        if weights.representation:
            vectors = mean_pieces(target.hidden[self.layer], step.target)
            terms["repr"] = weights.representation * objectives.representation(
                step.source, vectors, step.plan, self.centre
            )
        if weights.labels:
            terms["labels"] = weights.labels * objectives.labels(
                target.logits, step.carried, step.trust, target_words
            )
        return terms


@dataclass(frozen=True)
class StepMaker:
    """The numbers of a step's sentences; its tensors are read from disk when it is its turn."""

    recipe: StudentRecipe
    pairs: list[tuple[str, int]]
    english: list[int]

    def make(self) -> Step:
        """Read the step's arrays and pad them."""
        recipe = self.recipe
        sentences = [recipe.english_sentences[i] for i in self.english]
        english = collate(sentences, recipe.pieces)
        for row, i in enumerate(self.english):
            tags = recipe.gold[i]
            if tags is not None:
                english.tags[row, : len(tags)] = torch.tensor(tags)
        target = collate([recipe.targets[lang][i] for lang, i in self.pairs], recipe.pieces)
        said = recipe.english.arrays
        width = target.words.shape[1]
        of_pair = {
            name: [recipe.lessons[lang].arrays[name][i] for lang, i in self.pairs]
            for name in ("logits", "last", "source", "carried", "trust", "plan")
        }
        heights = [len(vectors) for vectors in of_pair["source"]]
        plans = np.zeros((len(heights), max(heights), width), dtype=np.float32)
        for row, (flat, height) in enumerate(zip(of_pair.pop("plan"), heights, strict=True)):
            plan = flat.reshape(height, -1)
            plans[row, :height, : plan.shape[1]] = plan
        padded = {
            name: _padded(items, max(heights) if name == "source" else width)
            for name, items in of_pair.items()
        }
        words = english.words.shape[1]
        return Step(
            english=english,
            english_logits=_padded([said["logits"][i] for i in self.english], words),
            english_last=_padded([said["last"][i] for i in self.english], words),
            target=target,
            plan=torch.from_numpy(plans),
            **padded,
        )


def _padded(items: Sequence[np.ndarray], length: int) -> torch.Tensor:
    """Stack arrays [n_i, ...] with zeros behind, in single precision: [B, length, ...]."""
    out = np.zeros((len(items), length, *items[0].shape[1:]), dtype=np.float32)
    for row, item in enumerate(items):
        out[row, : len(item)] = item
    return torch.from_numpy(out)
