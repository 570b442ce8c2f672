"""How many pieces an encoder can read at once."""

from typing import Any


def position_offset(model: Any) -> int:
    """Count the rows of a position table that no piece uses.

    model (PreTrainedModel): The model.
    RETURNS (int): 0 for BERT. RoBERTa and its relatives start after the id of the padding piece.
    """
    padding = getattr(model.base_model.embeddings, "padding_idx", None)
    return 0 if padding is None else padding + 1


def most_pieces(model: Any) -> int:
    """Give the largest number of pieces that a model can read at once.

    model (PreTrainedModel): The model.
    RETURNS (int): The number of pieces, special ones included.
    """
    return model.config.max_position_embeddings - position_offset(model)
