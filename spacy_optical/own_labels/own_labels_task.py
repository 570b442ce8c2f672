"""What a tagger learns from gold with labels of its own: a distribution over tags for each word.

The gold of a file says something about the labels that occur in it. About the other labels of the
starting model, the starting model itself is asked (self-distillation: Li and Hoiem 2017, Learning
without Forgetting; Monaikul et al. 2021, for entities):

    word of an entity   its gold tag
    any other word      the starting model's distribution; what it gives to labels that the gold
                        annotates goes to O
    word without gold   the starting model's distribution

A new label is unknown where the gold does not annotate it: its tags are `free` there, and count as
O in the loss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from torch import nn
from torch.nn import functional as F

from ..data.docs import labels_not_labelled
from ..distill.loop import Losses, SentenceTask, by_length
from ..distill.sentences import Sentence, collate, moved
from ..distill.tagger import WordTagger
from ..distill.tagger_evaluation import word_logits
from ..runtime.batching import windows
from ..runtime.decode import bio_tags, probabilities
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens

# spaCy's code for a token of which nobody said whether it is in an entity.
_MISSING = 0


@dataclass(frozen=True)
class TagSets:
    """The tags of the starting model and those of the new one.

    old, new (Tuple[str, ...]): The labels, sorted.
    renamed (Dict[str, str]): The new name of each old label that is kept.
    asked (bool): Whether the starting model is asked about labels that the gold leaves out.
    """

    old: tuple[str, ...]
    new: tuple[str, ...]
    renamed: Mapping[str, str]
    asked: bool

    @property
    def tags(self) -> list[str]:
        """The new model's tags."""
        return bio_tags(self.new)

    @property
    def known(self) -> frozenset[str]:
        """The new labels that the starting model is asked about."""
        return frozenset(self.renamed.values()) if self.asked else frozenset()

    def columns(self, labels: frozenset[str]) -> NDArray[np.bool_]:
        """Say which tags are of some labels, [tags]."""
        return np.array([tag[2:] in labels for tag in self.tags])

    def matrix(self) -> NDArray[np.float64]:
        """Say which new tag an old one becomes, [old tags, new tags]; O if its label is dropped."""
        number = {tag: at for at, tag in enumerate(self.tags)}
        before = bio_tags(self.old)
        found = np.zeros((len(before), len(number)))
        for row, tag in enumerate(before):
            name = self.renamed.get(tag[2:])
            found[row, number[f"{tag[:2]}{name}"] if name else 0] = 1.0
        return found


@dataclass(frozen=True, kw_only=True)
class TargetSentence(Sentence):
    """A sentence of n words with what is to be learned of it.

    target [n, tags] holds distributions; free [n, tags] is true where a tag counts as O.
    """

    target: NDArray[np.float32]
    free: NDArray[np.bool_]


def with_new_labels(tagger: WordTagger, sets: TagSets, seed: int) -> None:
    """Give a tagger the classifier of the new labels.

    tagger (WordTagger): The starting model; changed in place.
    sets (TagSets): The labels. A tag that was an old one begins with its weights.
    seed (int): Seed of the weights of the other tags.
    """
    before: nn.Linear = tagger.model.classifier
    after = nn.Linear(before.in_features, len(sets.tags))
    generator = torch.Generator().manual_seed(seed)
    matrix = sets.matrix()
    with torch.no_grad():
        after.weight.normal_(0.0, tagger.model.config.initializer_range, generator=generator)
        after.bias.zero_()
        for column in range(len(sets.tags)):
            sources = np.flatnonzero(matrix[:, column])
            if len(sources):  # the first one, where several labels are merged
                after.weight[column] = before.weight[sources[0]]
                after.bias[column] = before.bias[sources[0]]
    tagger.model.classifier = after
    tagger.model.num_labels = len(sets.tags)
    config = tagger.model.config
    config.id2label = dict(enumerate(sets.tags))
    config.label2id = {tag: at for at, tag in enumerate(sets.tags)}


def target_sentences(
    docs: Sequence[Doc],
    annotated: frozenset[str],
    sets: TagSets,
    start: WordTagger,
    pieces: WordPieces,
    *,
    max_pieces: int,
) -> list[TargetSentence]:
    """Say what is to be learned from documents, in parts that fit a window.

    docs (Sequence[Doc]): Documents with entities.
    annotated (FrozenSet[str]): The labels that their gold annotates.
    sets (TagSets): The labels.
    start (WordTagger): The starting model, with its own classifier.
    pieces (WordPieces): Its tokenizer.
    max_pieces (int): The most pieces of a window, special ones included.
    RETURNS (List[TargetSentence]): The parts of each document, in order.
    """
    texts = [tuple(token.text for token in word_tokens(doc)) for doc in docs]
    matrix, asked = sets.matrix(), bool(sets.known)
    read = word_logits(start, texts, pieces, max_pieces=max_pieces) if asked else []
    most, found = max_pieces - pieces.frame, []
    for number, (doc, words) in enumerate(zip(docs, texts, strict=True)):
        said = probabilities(read[number]) @ matrix if asked else None
        target, free = _targets(doc, annotated, sets, said)
        cut = [word[:most] for word in pieces.pieces(words)]
        for part in windows(list(map(len, cut)), most, 0):
            at = slice(part.start, part.end)
            found.append(
                TargetSentence(words[at], tuple(cut[at]), target=target[at], free=free[at])
            )
    return found


def _targets(
    doc: Doc, annotated: frozenset[str], sets: TagSets, said: NDArray[np.float64] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Give the distributions over a document's words, and which tags count as O."""
    tokens = word_tokens(doc)
    number = {tag: at for at, tag in enumerate(sets.tags)}
    here = annotated.difference(labels_not_labelled(doc))
    of_gold = sets.columns(here)
    unknown = sets.columns(frozenset(sets.new) - sets.known)
    target = np.zeros((len(tokens), len(number)), dtype=np.float32)
    free = np.zeros((len(tokens), len(number)), dtype=bool)
    for row, token in enumerate(tokens):
        if token.ent_type_:
            target[row, number[f"{token.ent_iob_}-{token.ent_type_}"]] = 1.0
            continue
        missing = token.ent_iob == _MISSING
        free[row] = unknown if missing else unknown & ~of_gold
        if said is None:
            target[row, 0] = 1.0
            # Without the starting model nothing is known of a label that is not annotated.
            free[row] |= missing & (np.arange(len(number)) > 0)
            continue
        target[row] = said[row]
        if not missing:
            target[row, 0] += target[row, of_gold].sum()
            target[row, of_gold] = 0.0
    return target, free


def loss(
    logits: torch.Tensor, target: torch.Tensor, free: torch.Tensor, words: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy to distributions over tags, where some tags count as O.

    logits, target (Tensor): [B, W, tags].
    free (Tensor): [B, W, tags], true for tags whose probability is added to that of O.
    words (Tensor): [B, W], true where there is a word.
    RETURNS (Tensor): The mean over words.
    """
    shares = F.log_softmax(logits, dim=-1)
    others = shares[..., 1:].masked_fill(~free[..., 1:], -torch.inf)
    outside = torch.cat([shares[..., :1], others], dim=-1).logsumexp(dim=-1, keepdim=True)
    shares = torch.cat([outside, shares[..., 1:]], dim=-1)
    return -(target * shares).sum(dim=-1)[words].mean()


class OwnLabelsTask(SentenceTask):
    """The gold sentences, and as many others drawn beside them in each epoch.

    sentences (Sequence[TargetSentence]): The gold.
    beside (Sequence[TargetSentence]): Sentences with other annotation; may be empty.
    pieces (WordPieces): The tokenizer.
    batch_size (int): Sentences in a batch.
    """

    def __init__(
        self,
        sentences: Sequence[TargetSentence],
        beside: Sequence[TargetSentence],
        pieces: WordPieces,
        batch_size: int,
    ) -> None:
        self.learned = [*sentences, *beside]
        super().__init__(self.learned, pieces, batch_size)
        self.count = len(sentences)

    def batches(self, rng: np.random.Generator) -> list[list[int]]:
        """Give the numbers of an epoch's sentences."""
        others = rng.permutation(np.arange(self.count, len(self.sentences)))[: self.count]
        drawn = [*range(self.count), *others.tolist()]
        lengths = [len(self.sentences[i]) for i in drawn]
        return [[drawn[i] for i in batch] for batch in by_length(lengths, self.batch_size, rng)]

    def losses(self, tagger: WordTagger, batch: list[int]) -> Losses:
        """Give the cross-entropy to what is to be learned."""
        chosen = [self.learned[i] for i in batch]
        padded = moved(collate(chosen, self.pieces), tagger.device)
        shape = (*padded.words.shape, chosen[0].target.shape[1])
        target, free = torch.zeros(shape), torch.zeros(shape, dtype=torch.bool)
        for row, one in enumerate(chosen):
            target[row, : len(one.target)] = torch.from_numpy(one.target)
            free[row, : len(one.free)] = torch.from_numpy(one.free)
        target, free = target.to(tagger.device), free.to(tagger.device)
        return {"gold": loss(tagger(padded).logits, target, free, padded.words)}
