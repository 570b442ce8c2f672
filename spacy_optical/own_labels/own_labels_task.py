"""Train a tagger on gold with other labels.

The target of each word is a distribution over tags. A gold file annotates the labels that occur in
it. For other labels of the starting model, the targets are its predictions (self-distillation: Li
and Hoiem 2017, Learning without Forgetting; Monaikul et al. 2021, for entities):

    word of an entity   the gold tag
    other word          the distribution of the starting model, with the probability of annotated
                        labels added to O
    word without gold   the distribution of the starting model

If the gold does not annotate a new label, its tags are `free`: they count as O in the loss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from accelerate.utils import send_to_device
from numpy.typing import NDArray
from spacy.tokens import Doc
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from ..data.docs import labels_not_labelled, word_tags
from ..distill.loop import Losses, SentenceTask, by_length
from ..distill.sentences import Sentence, collate
from ..distill.tagger import WordTagger
from ..distill.tagger_evaluation import word_logits
from ..runtime.batching import windows
from ..runtime.decode import OUTSIDE, bio_tags, probabilities
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens

# spaCy's code for a token without entity annotation.
_MISSING = 0


@dataclass(frozen=True)
class TagSets:
    """The labels and tags of the starting model and of the new one.

    old, new (Tuple[str, ...]): The labels, sorted.
    renamed (Dict[str, str]): The new name of each old label that is kept.
    asked (bool): Whether the starting model is used for labels that the gold does not annotate.
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
        """The new labels for which the starting model is used."""
        return frozenset(self.renamed.values()) if self.asked else frozenset()

    def columns(self, labels: frozenset[str]) -> NDArray[np.bool_]:
        """Get which of the new tags belong to some labels, [tags]."""
        return np.array([tag[2:] in labels for tag in self.tags])

    def matrix(self) -> NDArray[np.float64]:
        """Get the new tag of each old one, [old tags, new tags]. O if its label is dropped."""
        number = {tag: at for at, tag in enumerate(self.tags)}
        before = bio_tags(self.old)
        found = np.zeros((len(before), len(number)))
        for row, tag in enumerate(before):
            name = self.renamed.get(tag[2:])
            found[row, number[f"{tag[:2]}{name}"] if name else 0] = 1.0
        return found


@dataclass(frozen=True, kw_only=True)
class TargetSentence(Sentence):
    """A sentence of n words with its targets.

    target (NDArray[float32]): Distributions over tags, [n, tags].
    free (NDArray[bool]): Tags that count as O, [n, tags].
    """

    target: NDArray[np.float32]
    free: NDArray[np.bool_]


def with_new_labels(tagger: WordTagger, sets: TagSets, seed: int) -> None:
    """Set the classifier of a tagger to one for the new labels.

    tagger (WordTagger): The starting model; changed in place.
    sets (TagSets): The labels. The weights of old tags are kept.
    seed (int): Seed of the weights of new tags.
    """
    before: nn.Linear = tagger.model.classifier
    after = nn.Linear(before.in_features, len(sets.tags))
    generator = torch.Generator().manual_seed(seed)
    config, matrix = tagger.model.config, sets.matrix()
    kept = torch.from_numpy(matrix.any(axis=0))
    sources = matrix.argmax(axis=0)[kept]  # the first one, if labels are merged
    with torch.no_grad():
        after.weight.normal_(0.0, config.initializer_range, generator=generator)
        after.bias.zero_()
        after.weight[kept], after.bias[kept] = before.weight[sources], before.bias[sources]
    tagger.model.classifier = after
    tagger.model.num_labels = len(sets.tags)
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
    """Get the sentences to train on, with their targets. Long documents are split into windows.

    docs (Sequence[Doc]): Documents with entities.
    annotated (FrozenSet[str]): The labels that the gold annotates.
    sets (TagSets): The labels.
    start (WordTagger): The starting model, with its own classifier.
    pieces (WordPieces): Its tokenizer.
    max_pieces (int): The maximum number of pieces in a window, special pieces included.
    RETURNS (List[TargetSentence]): The sentences, in order.
    """
    texts = [tuple(token.text for token in word_tokens(doc)) for doc in docs]
    if sets.known:
        logits = word_logits(start, texts, pieces, max_pieces=max_pieces)
        matrix = sets.matrix()
        targets = [(probabilities(array) @ matrix).astype(np.float32) for array in logits]
    else:
        outside = np.eye(1, len(sets.tags), dtype=np.float32)
        targets = [outside.repeat(len(words), axis=0) for words in texts]
    most, found = max_pieces - pieces.frame, []
    for doc, words, target in zip(docs, texts, targets, strict=True):
        free = _set_targets(target, doc, annotated, sets)
        split = [word[:most] for word in pieces.pieces(words)]
        for part in windows(list(map(len, split)), most, 0):
            at = slice(part.start, part.end)
            found.append(
                TargetSentence(words[at], tuple(split[at]), target=target[at], free=free[at])
            )
    return found


def _set_targets(
    target: NDArray[np.float32], doc: Doc, annotated: frozenset[str], sets: TagSets
) -> NDArray[np.bool_]:
    """Change the distributions of the starting model to targets. Return the tags that are free."""
    number = {tag: at for at, tag in enumerate(sets.tags)}
    of_gold = sets.columns(annotated.difference(labels_not_labelled(doc)))
    unknown = sets.columns(frozenset(sets.new) - sets.known)
    free = np.zeros(target.shape, dtype=bool)
    for row, (token, tag) in enumerate(zip(word_tokens(doc), word_tags(doc), strict=True)):
        if tag != OUTSIDE:
            target[row] = 0.0
            target[row, number[tag]] = 1.0
        elif token.ent_iob == _MISSING:
            free[row] = unknown
        else:
            free[row] = unknown & ~of_gold
            target[row, 0] += target[row, of_gold].sum()
            target[row, of_gold] = 0.0
    return free


def loss(
    logits: torch.Tensor, target: torch.Tensor, free: torch.Tensor, words: torch.Tensor
) -> torch.Tensor:
    """Compute the cross-entropy with distributions over tags, if some tags count as O.

    logits, target (Tensor): [B, W, tags].
    free (Tensor): [B, W, tags], true for tags whose probability is added to that of O.
    words (Tensor): [B, W], true for words, false for padding.
    RETURNS (Tensor): The mean over words.
    """
    shares = F.log_softmax(logits, dim=-1)
    others = shares[..., 1:].masked_fill(~free[..., 1:], -torch.inf)
    outside = torch.cat([shares[..., :1], others], dim=-1).logsumexp(dim=-1, keepdim=True)
    shares = torch.cat([outside, shares[..., 1:]], dim=-1)
    return -(target * shares).sum(dim=-1)[words].mean()


class OwnLabelsTask(SentenceTask):
    """The gold sentences, and in each epoch a random sample of other sentences of the same size.

    sentences (Sequence[TargetSentence]): The gold.
    beside (Sequence[TargetSentence]): The other sentences; may be empty.
    pieces (WordPieces): The tokenizer.
    batch_size (int): Sentences in a batch.
    """

    sentences: Sequence[TargetSentence]

    def __init__(
        self,
        sentences: Sequence[TargetSentence],
        beside: Sequence[TargetSentence],
        pieces: WordPieces,
        batch_size: int,
    ) -> None:
        super().__init__([*sentences, *beside], pieces, batch_size)
        self.count = len(sentences)

    def batches(self, rng: np.random.Generator) -> list[list[int]]:
        """Get the numbers of the sentences in each batch of an epoch."""
        others = rng.permutation(np.arange(self.count, len(self.sentences)))[: self.count]
        drawn = [*range(self.count), *others.tolist()]
        lengths = [len(self.sentences[i]) for i in drawn]
        return [[drawn[i] for i in batch] for batch in by_length(lengths, self.batch_size, rng)]

    def losses(self, tagger: WordTagger, batch: list[int]) -> Losses:
        """Compute the cross-entropy with the targets."""
        chosen = [self.sentences[i] for i in batch]
        padded = send_to_device(collate(chosen, self.pieces), tagger.device)
        target = pad_sequence([torch.from_numpy(one.target) for one in chosen], batch_first=True)
        free = pad_sequence([torch.from_numpy(one.free) for one in chosen], batch_first=True)
        target, free = target.to(tagger.device), free.to(tagger.device)
        return {"gold": loss(tagger(padded).logits, target, free, padded.words)}
