"""A tagger's outputs for many sentences: no gradients, batches of like length."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from ..runtime.pieces import WordPieces
from .sentences import Sentence, collate, moved
from .tagger import WordTagger


@dataclass(frozen=True)
class WordOutput:
    """A tagger's outputs for a sentence of n words.

    logits [n, tags]; last [n, d], the first pieces' vectors of the last layer; middle and, where
    it is asked for, aligned [n, d], the mean pieces' vectors of a layer.
    """

    logits: np.ndarray
    last: np.ndarray
    middle: np.ndarray
    aligned: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))


def read_sentences(
    tagger: WordTagger,
    sentences: Sequence[Sentence],
    pieces: WordPieces,
    *,
    layer: int = -1,
    aligned: int | None = None,
    batch_size: int = 32,
) -> list[WordOutput]:
    """Read sentences in batches of like length.

    tagger (WordTagger): The tagger.
    sentences (Sequence[Sentence]): The sentences.
    pieces (WordPieces): The tokenizer, for its special pieces.
    layer (int): The layer of `middle`; 0 is the embedding, -1 the last.
    aligned (Optional[int]): The layer of `aligned`.
    batch_size (int): Sentences a batch.
    RETURNS (List[WordOutput]): One for each sentence, in their order.
    """
    outputs: dict[int, WordOutput] = {}
    layers = (layer,) if aligned is None else (layer, aligned)
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    was_training = tagger.training
    tagger.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            batch = moved(collate([sentences[i] for i in part], pieces), tagger.device)
            output = tagger(batch)
            tensors = (
                output.logits,
                output.words(-1, batch, "first"),
                *(output.words(layer, batch, "mean") for layer in layers),
            )
            arrays = [tensor.cpu().numpy() for tensor in tensors]
            for row, index in enumerate(part):
                count = len(sentences[index].words)
                outputs[index] = WordOutput(*(array[row, :count].copy() for array in arrays))
    tagger.train(was_training)
    return [outputs[i] for i in range(len(sentences))]
