"""Encoders whose upper layers work on words instead of pieces.

A word is the mean of its pieces. The first special piece is kept behind the words, because many
attention heads attend to it. The order of rows does not matter to a layer: the positions are in the
embeddings.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel
from transformers.modeling_outputs import BaseModelOutput

from .folder import pool_after


def word_means(hidden: torch.Tensor, word_of_piece: torch.Tensor, count: int) -> torch.Tensor:
    """Compute the mean vector of each word's pieces.

    hidden (Tensor): Vectors of pieces, [B, P, d].
    word_of_piece (Tensor): The word of each piece, int64 [B, P]; `count` for special and padding
        pieces.
    count (int): The number of words W.
    RETURNS (Tensor): Vectors of words, [B, W, d]; 0 for a word without pieces.
    """
    sums = hidden.new_zeros(len(hidden), count + 1, hidden.shape[-1])
    index = word_of_piece[:, :, None].expand(-1, -1, hidden.shape[-1])
    sums = sums.scatter_add(1, index, hidden)[:, :count]
    counts = hidden.new_zeros(len(hidden), count + 1)
    counts = counts.scatter_add(1, word_of_piece, torch.ones_like(hidden[:, :, 0]))
    return sums / counts[:, :count].clamp(min=1)[:, :, None]


def pooled_states(
    encoder: Any,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    word_of_piece: torch.Tensor,
    words: torch.Tensor,
) -> tuple[torch.Tensor, ...]:
    """Run an encoder whose config has `pool_after`.

    encoder (PreTrainedModel): An encoder with the architecture of BERT or RoBERTa.
    input_ids (Tensor): Pieces, int64 [B, P].
    attention_mask (Tensor): 1 for a piece, 0 for padding, [B, P].
    word_of_piece (Tensor): The word of each piece, int64 [B, P]; W for special and padding pieces.
    words (Tensor): True where there is a word with pieces, bool [B, W].
    RETURNS (Tuple[Tensor, ...]): The embeddings and the output of each layer: [B, P, d] on pieces
        or [B, W + 1, d] on words, with the first special piece behind the words.
    """
    first_on_words = pool_after(encoder.config)
    hidden = encoder.embeddings(input_ids=input_ids)
    mask = encoder.get_extended_attention_mask(attention_mask, attention_mask.shape)
    states = [hidden]
    for number, layer in enumerate(encoder.encoder.layer):
        if number == first_on_words:
            means = word_means(hidden, word_of_piece, words.shape[1])
            hidden = torch.cat([means, hidden[:, :1]], dim=1)
            seen = nn.functional.pad(words, (0, 1), value=True).to(attention_mask.dtype)
            mask = encoder.get_extended_attention_mask(seen, seen.shape)
        hidden = layer(hidden, mask)[0]
        states.append(hidden)
    return tuple(states)


class PooledEncoder(nn.Module):
    """An encoder whose output for a piece is the vector of its word.

    encoder (PreTrainedModel): An encoder whose config has `pool_after`.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.base_model = encoder

    @classmethod
    def from_pretrained(cls, folder: str | Path, config: Any) -> nn.Module:
        """Load a folder. An encoder without `pool_after` is returned unwrapped."""
        return cls._wrapped(AutoModel.from_pretrained(folder, config=config), config)

    @classmethod
    def from_config(cls, config: Any) -> nn.Module:
        """Make an encoder with random weights. One without `pool_after` is returned unwrapped."""
        return cls._wrapped(AutoModel.from_config(config), config)

    @classmethod
    def _wrapped(cls, encoder: Any, config: Any) -> nn.Module:
        return encoder if pool_after(config) is None else cls(encoder)

    @property
    def config(self) -> Any:
        """The encoder's config."""
        return self.base_model.config

    @property
    def device(self) -> torch.device:
        """The device of the encoder's weights."""
        return self.base_model.device

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        word_of_piece: torch.Tensor,
        words: torch.Tensor,
    ) -> BaseModelOutput:
        """Run the encoder; arguments as for `pooled_states`.

        RETURNS (BaseModelOutput): Its last_hidden_state is [B, P, d]. Special and padding pieces
            get the vector of the first special piece.
        """
        last = pooled_states(self.base_model, input_ids, attention_mask, word_of_piece, words)[-1]
        index = word_of_piece[:, :, None].expand(-1, -1, last.shape[-1])
        vectors: Any = last.gather(1, index)  # transformers names the type of one precision
        return BaseModelOutput(last_hidden_state=vectors)
