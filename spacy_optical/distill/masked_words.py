"""An encoder that predicts masked words (Devlin et al. 2019), with whole words masked."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from accelerate.utils import send_to_device
from torch import nn
from torch.nn.functional import cross_entropy

from ..runtime.pieces import WordPieces
from .loop import Losses, SentenceTask
from .sentences import Batch, Sentence, collate
from .tagger import WordTagger

# BERT's: of the masked words, 80 % become the mask, 10 % random pieces, and 10 % stay.
MASKED, BECOME_MASK, BECOME_RANDOM = 0.15, 0.8, 0.1


class MaskedWordModel(WordTagger):
    """An encoder with a new head that predicts the pieces of masked words.

    Only the pieces that occur in the training text are trained and predicted. The others would take
    most of the time and memory. `finish` puts the trained pieces back.

    model (PreTrainedModel): The encoder.
    seen (Iterable[int]): The ids of the pieces that occur.
    mask (int): The id of the mask.
    """

    row_of: torch.Tensor

    def __init__(self, model: Any, seen: Iterable[int], mask: int) -> None:
        super().__init__(model)
        self.whole = model.get_input_embeddings().weight.detach()
        padding = model.config.pad_token_id or 0
        # XLM-R derives positions from the id of the padding, so the first ids must not change.
        rows = sorted({*seen, mask, *range(padding + 1)})
        self.rows = torch.tensor(rows)
        row_of = torch.full((len(self.whole),), -1)
        row_of[self.rows] = torch.arange(len(rows))
        self.register_buffer("row_of", row_of)  # moves to the device with the weights
        self.mask = int(row_of[mask])
        small = nn.Embedding(len(rows), self.whole.shape[1], padding_idx=padding)
        small.weight.data.copy_(self.whole[self.rows])
        model.set_input_embeddings(small)
        size = self.whole.shape[1]
        self.head = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.bias = nn.Parameter(torch.zeros(len(rows)))

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mask words at random, with torch's generator, and compute the loss in nats per piece."""
        ids = self.row_of[batch.input_ids]
        inputs, masked = mask_words(batch._replace(input_ids=ids), self.mask)
        table = self.model.get_input_embeddings().weight
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            states = self.model(inputs, batch.attention_mask).last_hidden_state
            logits = self.head(states[masked]) @ table.T + self.bias
        return cross_entropy(logits.float(), ids[masked])

    def train_head_only(self, only: bool) -> None:
        """Freeze or unfreeze the encoder."""
        self.model.requires_grad_(not only)

    def finish(self) -> None:
        """Put the trained vectors back into the table of all pieces."""
        whole = self.whole.clone()
        whole[self.rows] = self.model.get_input_embeddings().weight.detach().to("cpu")
        self.model.set_input_embeddings(nn.Embedding.from_pretrained(whole, freeze=False))


class MaskedWordTask(SentenceTask):
    """Batches of raw sentences.

    most (Optional[int]): The maximum number of batches of an epoch.
    """

    def __init__(
        self,
        sentences: list[Sentence],
        pieces: WordPieces,
        batch_size: int,
        most: int | None = None,
    ) -> None:
        super().__init__(sentences, pieces, batch_size)
        self.most = most

    def batches(self, rng: np.random.Generator) -> list[list[int]]:
        """Get the numbers of the sentences in each batch of an epoch."""
        return super().batches(rng)[: self.most]

    def losses(self, tagger: WordTagger, batch: list[int]) -> Losses:
        """Compute the loss of the masked words of a batch."""
        assert isinstance(tagger, MaskedWordModel)
        padded = collate([self.sentences[i] for i in batch], self.pieces)
        return {"masked": tagger.loss(send_to_device(padded, tagger.device))}


def held_out_loss(
    model: MaskedWordModel, sentences: list[Sentence], pieces: WordPieces, batch_size: int
) -> float:
    """Compute the mean loss on sentences, always with the same masked words.

    model (MaskedWordModel): The model.
    sentences (List[Sentence]): The sentences.
    pieces (WordPieces): The tokenizer.
    batch_size (int): Sentences in a batch.
    RETURNS (float): The loss, in nats per piece.
    """
    was_training = model.training
    model.eval()
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        task = MaskedWordTask(sentences, pieces, batch_size)
        order = [
            list(range(at, min(at + batch_size, len(sentences))))
            for at in range(0, len(sentences), batch_size)
        ]
        losses = [float(task.losses(model, batch)["masked"]) for batch in order]
    model.train(was_training)
    return float(np.mean(losses))


def mask_words(batch: Batch, mask: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mask at least one word of each sentence, with torch's generator.

    batch (Batch): The batch.
    mask (int): The id of the mask.
    RETURNS (Tuple[Tensor, Tensor]): The new input ids, and which pieces must be predicted, [B, P].
    """
    rows, words = batch.words.shape
    # Drawn on the CPU, so that every device masks the same words.
    chosen = (torch.rand(rows, words) < MASKED) & batch.words.cpu()
    first = (torch.rand(rows, words) * batch.words.cpu()).argmax(dim=1)
    without = ~chosen.any(dim=1)
    chosen[without, first[without]] = True
    kind = torch.rand(rows, words)
    device = batch.input_ids.device

    def of_pieces(flags: torch.Tensor) -> torch.Tensor:
        # Special and padding pieces belong to no word: the column behind the last one.
        flags = torch.cat([flags, torch.zeros(rows, 1, dtype=torch.bool)], dim=1).to(device)
        return flags.gather(1, batch.word_of_piece)

    in_use = batch.input_ids[batch.word_of_piece < words]
    others = in_use[torch.randint(len(in_use), batch.input_ids.shape).to(device)]
    inputs = batch.input_ids.masked_fill(of_pieces(chosen & (kind < BECOME_MASK)), mask)
    random = of_pieces(chosen & (kind >= 1 - BECOME_RANDOM))
    return torch.where(random, others, inputs), of_pieces(chosen)
