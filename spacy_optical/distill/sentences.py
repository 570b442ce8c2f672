"""Sentences in training: words, pieces, tags, and padded batches of tensors."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from spacy.tokens import Doc
from torch.nn.utils.rnn import pad_sequence

from ..data.docs import labels_not_labelled, word_tags
from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens

CASES = (str.lower, str.upper, str.title)


@dataclass(frozen=True)
class Sentence:
    """A sentence: its words, the pieces of each word and, if there are gold labels, its tags.

    also has the tags that words with tag O may have too, if not all labels were annotated.
    """

    words: tuple[str, ...]
    pieces: tuple[tuple[int, ...], ...]
    tags: tuple[int, ...] | None = None
    also: tuple[int, ...] = ()

    @property
    def certain_tags(self) -> tuple[int, ...] | None:
        """The tags, -100 for words that may have another one."""
        return tuple(tag or -100 for tag in self.tags) if self.tags and self.also else self.tags

    def __len__(self) -> int:
        return sum(len(word) for word in self.pieces)


class Batch(NamedTuple):
    """A padded batch of B sentences with at most P pieces and W words.

    word_of_piece [B, P] is the word's number, or W for special and padding pieces; words [B, W]
    is true where there is a word; tags [B, W] is -100 where there is no gold tag. also [B, K] has
    the tags that a sentence's words with tag O may have too, padded with 0.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    first_pieces: torch.Tensor
    word_of_piece: torch.Tensor
    words: torch.Tensor
    tags: torch.Tensor
    also: torch.Tensor


def labelled_sentence(doc: Doc, pieces: WordPieces, tag_of: dict[str, int]) -> Sentence:
    """Make a sentence with gold tags, numbered as in `tag_of`, from a document with entities."""
    words = tuple(token.text for token in word_tokens(doc))
    tags = tuple(tag_of[tag] for tag in word_tags(doc))
    lacking = labels_not_labelled(doc)
    also = tuple(number for tag, number in tag_of.items() if tag[2:] in lacking)
    return Sentence(words, tuple(pieces.pieces(words)), tags, also)


def labelled_sentences(
    docs: Sequence[Doc], pieces: WordPieces, tags: Sequence[str], max_pieces: int
) -> list[Sentence]:
    """Make sentences with gold tags from the English documents that fit a window.

    docs (Sequence[Doc]): Documents with entities.
    pieces (WordPieces): The tokenizer.
    tags (Sequence[str]): The tags by number.
    max_pieces (int): The size of the window in pieces, special ones included.
    RETURNS (List[Sentence]): The sentences.
    RAISES (OpticalError): If none fits.
    """
    number = {tag: i for i, tag in enumerate(tags)}
    every = [labelled_sentence(doc, pieces, number) for doc in docs]
    kept = [sentence for sentence in every if 0 < len(sentence) <= max_pieces - 2]
    if not kept:
        raise OpticalError(Errors.E412.format(what="English sentence", most=max_pieces))
    return kept


def plain_sentence(words: Iterable[str], pieces: WordPieces) -> Sentence:
    """Make a sentence without tags from words."""
    kept = tuple(words)
    return Sentence(kept, tuple(pieces.pieces(kept)))


class StoredPieces:
    """The pieces of many sentences in flat arrays, 5 bytes for each word and piece.

    sentences (Iterable[Sequence[str]]): The words of each sentence.
    pieces (WordPieces): The tokenizer.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], pieces: WordPieces) -> None:
        self._ids, self._counts = array("i"), array("B")
        self._words, self._pieces = array("q", [0]), array("q", [0])
        for words in sentences:
            split = pieces.pieces(words)
            self._counts.extend(map(len, split))
            self._ids.extend(chain.from_iterable(split))
            self._words.append(len(self._counts))
            self._pieces.append(len(self._ids))

    @property
    def lengths(self) -> np.ndarray:
        """The number of pieces of each sentence, int64 [sentences]."""
        return np.diff(np.array(self._pieces))

    def __getitem__(self, index: int) -> tuple[tuple[int, ...], ...]:
        """Get the pieces of each word of a sentence."""
        at, split = self._pieces[index], []
        for count in self._counts[self._words[index] : self._words[index + 1]]:
            split.append(tuple(self._ids[at : at + count]))
            at += count
        return tuple(split)


def collate(sentences: Sequence[Sentence], pieces: WordPieces) -> Batch:
    """Pad sentences into one batch, with the tokenizer's special pieces around each."""
    count = max(len(sentence.words) for sentence in sentences)
    before, after = len(pieces.prefix), len(pieces.suffix)
    rows = []
    for sentence in sentences:
        lengths = [len(word) for word in sentence.pieces]
        ids = [*pieces.prefix, *chain.from_iterable(sentence.pieces), *pieces.suffix]
        words = np.repeat(np.arange(len(lengths)), lengths)
        row = (
            ids,
            np.ones(len(ids)),
            before + np.cumsum([0, *lengths])[:-1],
            np.pad(words, (before, after), constant_values=count),
            np.ones(len(lengths)),
            sentence.tags or np.full(len(lengths), -100),
            sentence.also,
        )
        rows.append([torch.tensor(values, dtype=torch.int64) for values in row])
    padding = (pieces.pad_id, 0, 0, count, 0, -100, 0)
    columns = zip(zip(*rows, strict=True), padding, strict=True)
    batch = Batch(*(pad_sequence(list(column), True, fill) for column, fill in columns))
    return batch._replace(words=batch.words.bool())


def in_other_case(
    sentence: Sentence, share: float, pieces: WordPieces, max_pieces: int
) -> Sentence:
    """Convert a sentence to lower, upper or title case at random, with torch's generator.

    sentence (Sentence): The sentence.
    share (float): The probability, 0 to 1.
    pieces (WordPieces): The tokenizer.
    max_pieces (int): A sentence with more pieces after the conversion is returned unchanged.
    RETURNS (Sentence): The sentence with its original words and the new pieces.
    """
    if not share or torch.rand(()) >= share:
        return sentence
    case = CASES[int(torch.randint(len(CASES), ()))]
    words = [case(word) for word in sentence.words]
    converted = replace(sentence, pieces=tuple(pieces.pieces(words)))
    return converted if len(converted) <= max_pieces else sentence


def drop_words(batch: Batch, share: float, piece: int) -> Batch:
    """Replace all pieces of random words by one piece, with torch's generator.

    batch (Batch): The batch.
    share (float): The probability for each word, 0 to 1.
    piece (int): The id of the piece that replaces them.
    RETURNS (Batch): The batch with new input ids.
    """
    if not share:
        return batch
    rows, words = batch.words.shape
    # Drawn on the CPU, so that every device drops the same words.
    dropped = torch.rand(rows, words) < share
    # Special and padding pieces belong to no word: the column behind the last one.
    dropped = torch.cat([dropped, torch.zeros(rows, 1, dtype=torch.bool)], dim=1)
    mask = dropped.to(batch.input_ids.device).gather(1, batch.word_of_piece)
    return batch._replace(input_ids=batch.input_ids.masked_fill(mask, piece))
