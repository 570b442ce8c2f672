"""Sentences in training: words, pieces, tags, and padded batches of tensors."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import torch
from spacy.tokens import Doc

from ..data.docs import labels_not_labelled
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens


@dataclass(frozen=True)
class Sentence:
    """A sentence's words, their pieces and, where there are gold labels, their tag numbers.

    also has the tags that words with tag O may have as well, where not all labels were annotated.
    """

    words: tuple[str, ...]
    pieces: tuple[tuple[int, ...], ...]
    tags: tuple[int, ...] | None = None
    also: tuple[int, ...] = ()

    @property
    def certain_tags(self) -> tuple[int, ...] | None:
        """The tags, -100 for words that may have another one as well."""
        return tuple(tag or -100 for tag in self.tags) if self.tags and self.also else self.tags

    def __len__(self) -> int:
        return sum(len(word) for word in self.pieces)


@dataclass(frozen=True)
class Batch:
    """Padded sentences: B of them, P pieces and W words at the most.

    word_of_piece [B, P] is the word's number, or W for special and padding pieces; words [B, W]
    is true where there is a word; tags [B, W] is -100 where there is no gold tag. also [B, K] has
    the tags that a sentence's words with tag O may have as well, and 0 where there are fewer.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    first_pieces: torch.Tensor
    word_of_piece: torch.Tensor
    words: torch.Tensor
    tags: torch.Tensor
    also: torch.Tensor


def labelled_sentence(doc: Doc, pieces: WordPieces, tag_of: dict[str, int]) -> Sentence:
    """Make a sentence with gold tags from a document.

    doc (Doc): The document with entities.
    pieces (WordPieces): The tokenizer.
    tag_of (Dict[str, int]): Tag numbers by BIO tag.
    RETURNS (Sentence): The sentence.
    """
    tokens = word_tokens(doc)
    words = tuple(token.text for token in tokens)
    tags = tuple(
        tag_of[f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"]
        for token in tokens
    )
    lacking = labels_not_labelled(doc)
    also = tuple(number for tag, number in tag_of.items() if tag[2:] in lacking)
    return Sentence(words, tuple(pieces.pieces(words)), tags, also)


def plain_sentence(words: Iterable[str], pieces: WordPieces) -> Sentence:
    """Make a sentence without tags from words."""
    kept = tuple(words)
    return Sentence(kept, tuple(pieces.pieces(kept)))


class CutSentences:
    """The pieces of many sentences, cut once and held as flat arrays: 5 bytes a word and piece.

    sentences (Iterable[Sequence[str]]): The words of each sentence.
    pieces (WordPieces): The tokenizer.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], pieces: WordPieces) -> None:
        self._ids, self._counts = array("i"), array("B")
        self._words, self._pieces = array("q", [0]), array("q", [0])
        for words in sentences:
            cut = pieces.pieces(words)
            self._counts.extend(map(len, cut))
            self._ids.extend(chain.from_iterable(cut))
            self._words.append(len(self._counts))
            self._pieces.append(len(self._ids))

    @property
    def lengths(self) -> np.ndarray:
        """The number of pieces of each sentence, int64 [sentences]."""
        return np.diff(np.array(self._pieces))

    def __getitem__(self, index: int) -> tuple[tuple[int, ...], ...]:
        """Give the pieces of each word of a sentence."""
        at, cut = self._pieces[index], []
        for count in self._counts[self._words[index] : self._words[index + 1]]:
            cut.append(tuple(self._ids[at : at + count]))
            at += count
        return tuple(cut)


def collate(sentences: Sequence[Sentence], pieces: WordPieces) -> Batch:
    """Pad sentences into one batch.

    sentences (Sequence[Sentence]): The sentences, each within the encoder's window.
    pieces (WordPieces): The tokenizer, for its special pieces.
    RETURNS (Batch): The tensors.
    """
    edge = len(pieces.prefix) + len(pieces.suffix)
    width = max(len(sentence) for sentence in sentences) + edge
    count = max(len(sentence.words) for sentence in sentences)
    ids = np.full((len(sentences), width), pieces.pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    word_of_piece = np.full_like(ids, count)
    first = np.zeros((len(sentences), count), dtype=np.int64)
    words = np.zeros((len(sentences), count), dtype=bool)
    tags = np.full((len(sentences), count), -100, dtype=np.int64)
    also = np.zeros((len(sentences), max(len(s.also) for s in sentences)), dtype=np.int64)
    for row, sentence in enumerate(sentences):
        flat = [piece for word in sentence.pieces for piece in word]
        whole = [*pieces.prefix, *flat, *pieces.suffix]
        ids[row, : len(whole)] = whole
        mask[row, : len(whole)] = 1
        lengths = [len(word) for word in sentence.pieces]
        start = len(pieces.prefix)
        word_of_piece[row, start : start + len(flat)] = np.repeat(np.arange(len(lengths)), lengths)
        first[row, : len(lengths)] = start + np.cumsum([0, *lengths[:-1]])
        words[row, : len(lengths)] = True
        if sentence.tags is not None:
            tags[row, : len(lengths)] = sentence.tags
        also[row, : len(sentence.also)] = sentence.also
    arrays = (ids, mask, first, word_of_piece, words, tags, also)
    return Batch(*map(torch.from_numpy, arrays))


def drop_words(batch: Batch, share: float, piece: int) -> Batch:
    """Replace all pieces of some words, drawn with torch's generator.

    batch (Batch): The padded sentences.
    share (float): The probability for each word, 0 to 1.
    piece (int): The piece that stands for what is hidden.
    RETURNS (Batch): The batch with other pieces; the same batch if the share is 0.
    """
    if not share:
        return batch
    rows, words = batch.words.shape
    hidden = torch.rand(rows, words) < share
    # Special and padding pieces belong to no word: the column behind the last one.
    hidden = torch.cat([hidden, torch.zeros(rows, 1, dtype=torch.bool)], dim=1)
    ids = batch.input_ids.masked_fill(hidden.gather(1, batch.word_of_piece), piece)
    return replace(batch, input_ids=ids)
