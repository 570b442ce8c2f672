"""A token classifier of transformers, read word by word."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import AutoConfig, AutoModelForTokenClassification, logging
from transformers.modeling_utils import PreTrainedModel

from ..encoders.folder import NEEDED, check_encoder, most_pieces, pool_after
from ..encoders.word_pooling import pooled_states, word_means
from ..errors import Errors, OpticalError
from ..runtime.decode import OUTSIDE, bio_tags
from .config import Precision
from .sentences import Batch

Pooling = Literal["first", "mean"]


@dataclass
class Output:
    """What a tagger makes of a batch.

    logits (Tensor): Scores of words, [B, W, tags].
    hidden (Tuple[Tensor, ...]): The embeddings and the output of every layer: of pieces, [B, P, d],
        or of words, [B, W, d], above `pool_after`.
    pool_after (Optional[int]): How many layers work on pieces; all of them where it is None.
    """

    logits: torch.Tensor
    hidden: tuple[torch.Tensor, ...]
    pool_after: int | None

    def words(self, layer: int, batch: Batch, pooling: Pooling) -> torch.Tensor:
        """Give the word vectors [B, W, d] of a layer; 0 is the embeddings, -1 the last layer.

        A word is its `first` piece or the `mean` of its pieces. In a layer that works on words both
        are the same.
        """
        number = range(len(self.hidden))[layer]
        hidden = self.hidden[number]
        if self.pool_after is not None and number > self.pool_after:
            return hidden
        if pooling == "first":
            return first_pieces(hidden, batch)
        return word_means(hidden, batch.word_of_piece, batch.words.shape[1])


class WordTagger(nn.Module):
    """A `...ForTokenClassification` model whose classifier sees each word's first piece.

    model (PreTrainedModel): The model; BERT- and XLM-R-shaped ones have the parts used here.

    A student that is narrower than its teacher has the `basis` [d, width] through which it sees the
    teacher's vectors. It is not saved.
    """

    basis: torch.Tensor | None = None

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model: Any = model  # its parts are attributes that the base class does not declare
        self.bf16 = False

    def forward(self, batch: Batch) -> Output:
        """Read a batch of padded sentences on the tagger's device."""
        device = self.device.type
        # On a CPU in bf16, torch's fused attention takes ten times as long backwards as products.
        plain = self.bf16 and device == "cpu"
        attention = sdpa_kernel(SDPBackend.MATH) if plain else nullcontext()
        lower = torch.autocast(device, torch.bfloat16) if self.bf16 else nullcontext()
        with lower, attention:
            hidden = tuple(layer.float() for layer in self._states(batch))
        words = first_pieces(hidden[-1], batch) if self.pool_after is None else hidden[-1]
        logits = self.model.classifier(self.model.dropout(words))
        return Output(logits, hidden, self.pool_after)

    def _states(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        encoder, pieces = self.model.base_model, (batch.input_ids, batch.attention_mask)
        if self.pool_after is None:
            return encoder(*pieces, output_hidden_states=True).hidden_states
        states = pooled_states(encoder, *pieces, batch.word_of_piece, batch.words)
        on_pieces = self.pool_after + 1
        return (*states[:on_pieces], *(state[:, :-1] for state in states[on_pieces:]))

    @property
    def device(self) -> torch.device:
        """Where the weights are; a batch has to be there too."""
        device: torch.device = self.model.device
        return device

    @property
    def pool_after(self) -> int | None:
        """How many layers work on pieces, the others on words; None where all work on pieces."""
        return pool_after(self.model.config)

    @property
    def tags(self) -> list[str]:
        """The BIO tags by number."""
        return _tags(self.model.config)

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity labels, sorted."""
        return tuple(sorted({tag[2:] for tag in self.tags if tag != OUTSIDE}))

    @property
    def max_pieces(self) -> int:
        """The most pieces of a sentence, special ones included."""
        return most_pieces(self.model)

    def set_dropout(self, share: float) -> None:
        """Set the share of values that training drops, everywhere in the model, 0 to 1."""
        module: Any  # torch types what a module carries as tensors and modules alone
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = share
            elif hasattr(module, "dropout_prob"):  # attention that drops inside its own kernel
                module.dropout_prob = share

    def set_precision(self, precision: Precision) -> None:
        """Set what products are computed in; `auto` is bf16 where the device has it."""
        auto = precision == "auto" and multiplies_in_bf16(self.device)
        self.bf16 = precision == "bf16" or auto

    def freeze_embeddings(self) -> None:
        """Keep the word table as it is: it is most of the weights and learns little."""
        self.model.get_input_embeddings().weight.requires_grad_(False)


def multiplies_in_bf16(device: torch.device) -> bool:
    """Tell whether a device has instructions for products of bf16 numbers."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch tells no other way; oneDNN also emulates bf16, which is slower than fp32.
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def first_pieces(hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Take each word's first piece: [B, P, d] -> [B, W, d]."""
    index = batch.first_pieces[:, :, None].expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, index)


def folder_tags(folder: Path) -> list[str]:
    """Read the tags of a tagger's folder by number, without its weights.

    folder (Path): A Hugging Face folder.
    RETURNS (List[str]): The tags.
    RAISES (OpticalError): If the folder is not whole, or holds no tagger.
    """
    return _tags(_folder_config(folder))


def load_tagger(
    folder: Path,
    labels: list[str] | None = None,
    *,
    attention: Literal["sdpa", "eager"] = "sdpa",
) -> WordTagger:
    """Read a tagger, or give an encoder a new classifier.

    folder (Path): A Hugging Face folder.
    labels (Optional[List[str]]): The tags of a new classifier; by default those of the folder.
    attention (str): How attention is computed; `eager` is the form that can be exported.
    RETURNS (WordTagger): The tagger.
    RAISES (OpticalError): If the folder is not whole, or `labels` are left to a folder that has
        none.
    """
    config = _folder_config(folder, labels)
    logging.set_verbosity_error()
    return WordTagger(
        AutoModelForTokenClassification.from_pretrained(
            folder, config=config, attn_implementation=attention, local_files_only=True
        )
    )


def _folder_config(folder: Path, labels: list[str] | None = None) -> Any:
    # The next check would call a folder without a tagger's files an encoder that lacks them.
    if labels is None and (missing := [n for n in NEEDED if not (Path(folder) / n).is_file()]):
        raise OpticalError(Errors.E414.format(path=folder, reason=f"it has no {missing[0]}"))
    check_encoder(folder)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    # Version 0.1 could train taggers on the mean of a word's pieces.
    if getattr(config, "word_pooling", "first") != "first":
        raise OpticalError(Errors.E501.format(path=folder))
    if labels is not None:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
    tags = _tags(config)
    if tags != bio_tags(sorted({tag[2:] for tag in tags if tag != OUTSIDE})):
        raise OpticalError(Errors.E414.format(path=folder, reason="it has no entity labels"))
    return config


def _tags(config: Any) -> list[str]:
    return [config.id2label[i] for i in range(config.num_labels)]
