"""A token classifier of transformers that predicts the tags of words."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from accelerate.utils import send_to_device
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForTokenClassification, logging
from transformers.modeling_utils import PreTrainedModel

from ..encoders.folder import (
    CONFIG,
    NEEDED,
    TOKENIZER,
    TOKENIZER_HASH,
    WEIGHTS,
    check_encoder,
    most_pieces,
    pool_after,
    write_settings,
)
from ..encoders.word_pooling import pooled_states, word_means
from ..errors import Errors, OpticalError
from ..files import folder_written_whole, json_text
from ..runtime.decode import OUTSIDE, bio_tags
from ..runtime.pieces import WordPieces
from .config import Precision
from .sentences import Batch, Sentence, collate

METRICS = "metrics.json"
# The implementation of attention. With sentences as inputs, in bf16 on a CPU, training takes a
# seventh less time than with torch's own, and ONNX Runtime's optimiser can fuse only this one.
ATTENTION = "eager"
Pooling = Literal["first", "mean"]


class Output(NamedTuple):
    """The output of a tagger for a batch.

    logits (Tensor): Scores of words, [B, W, tags].
    hidden (Tuple[Tensor, ...]): The embeddings and the output of each layer: of pieces, [B, P, d],
        or of words, [B, W, d], above `pool_after`.
    pool_after (Optional[int]): The number of layers that work on pieces; None for all.
    """

    logits: torch.Tensor
    hidden: tuple[torch.Tensor, ...]
    pool_after: int | None

    def words(self, layer: int, batch: Batch, pooling: Pooling) -> torch.Tensor:
        """Compute the word vectors of a layer. If the layer works on pieces, they are pooled.

        layer (int): The layer; 0 is the embeddings, -1 the last layer.
        batch (Batch): The batch.
        pooling (str): Use the `first` piece or the `mean` of the pieces.
        RETURNS (Tensor): The vectors, [B, W, d].
        """
        number = range(len(self.hidden))[layer]
        hidden = self.hidden[number]
        if self.pool_after is not None and number > self.pool_after:
            return hidden
        if pooling == "first":
            return first_pieces(hidden, batch)
        return word_means(hidden, batch.word_of_piece, batch.words.shape[1])


class WordTagger(nn.Module):
    """A `...ForTokenClassification` model that classifies each word by its first piece.

    model (PreTrainedModel): The model, with the architecture of BERT or XLM-R.

    `basis` [d, width] projects the teacher's vectors for a narrower student. It is not saved.
    """

    basis: torch.Tensor | None = None

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model: Any = model  # with attributes that the base class does not declare
        self.bf16 = False

    def forward(self, batch: Batch) -> Output:
        """Compute the output for a batch on the tagger's device."""
        bf16 = torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()
        encoder, pieces = self.model.base_model, (batch.input_ids, batch.attention_mask)
        with bf16:
            if self.pool_after is None:
                states = encoder(*pieces, output_hidden_states=True).hidden_states
            else:
                states = pooled_states(encoder, *pieces, batch.word_of_piece, batch.words)
                on_pieces = self.pool_after + 1
                # Without the special piece behind the words.
                states = (*states[:on_pieces], *(state[:, :-1] for state in states[on_pieces:]))
            hidden = tuple(layer.float() for layer in states)
        words = first_pieces(hidden[-1], batch) if self.pool_after is None else hidden[-1]
        logits = self.model.classifier(self.model.dropout(words))
        return Output(logits, hidden, self.pool_after)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        device: torch.device = self.model.device
        return device

    @property
    def pool_after(self) -> int | None:
        """The number of layers that work on pieces; None for all."""
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
        """The maximum number of pieces of a sentence, special ones included."""
        return most_pieces(self.model)

    def set_dropout(self, share: float) -> None:
        """Set the dropout of all parts of the model, 0 to 1."""
        module: Any  # torch types attributes as tensors and modules
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = share
            elif hasattr(module, "dropout_prob"):  # attention
                module.dropout_prob = share

    def set_precision(self, precision: Precision) -> None:
        """Set the precision of matrix products; `auto` is bf16 if the device supports it."""
        auto = precision == "auto" and multiplies_in_bf16(self.device)
        self.bf16 = precision == "bf16" or auto

    def freeze_embeddings(self) -> None:
        """Exclude the word embeddings, which are most of the weights, from training."""
        self.model.get_input_embeddings().weight.requires_grad_(False)


def multiplies_in_bf16(device: torch.device) -> bool:
    """Check whether a device has instructions for products in bf16."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Without these instructions oneDNN emulates bf16, which is slower than fp32.
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def first_pieces(hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Get the vectors of the words' first pieces: [B, P, d] -> [B, W, d]."""
    index = batch.first_pieces[:, :, None].expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, index)


class WordOutput(NamedTuple):
    """A tagger's outputs for a sentence of n words.

    logits [n, tags]; last [n, d], the vectors of the words' first pieces in the last layer; middle
    and, if requested, aligned [n, d], the mean vectors of the words' pieces in a layer.
    """

    logits: np.ndarray
    last: np.ndarray
    middle: np.ndarray
    aligned: np.ndarray = np.empty((0, 0))


def read_sentences(
    tagger: WordTagger,
    sentences: Sequence[Sentence],
    pieces: WordPieces,
    *,
    layer: int = -1,
    aligned: int | None = None,
    batch_size: int = 32,
) -> list[WordOutput]:
    """Run a tagger on sentences, in batches of similar length.

    tagger (WordTagger): The tagger.
    sentences (Sequence[Sentence]): The sentences.
    pieces (WordPieces): The tokenizer, for its special pieces.
    layer (int): The layer of `middle`; 0 is the embedding, -1 the last.
    aligned (Optional[int]): The layer of `aligned`.
    batch_size (int): Number of sentences in a batch.
    RETURNS (List[WordOutput]): The outputs of each sentence, in the same order.
    """
    outputs: dict[int, WordOutput] = {}
    layers = (layer,) if aligned is None else (layer, aligned)
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    was_training = tagger.training
    tagger.eval()
    with torch.inference_mode():
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            batch = send_to_device(collate([sentences[i] for i in part], pieces), tagger.device)
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


def folder_tags(folder: Path) -> list[str]:
    """Read the tags of a tagger's folder.

    folder (Path): A Hugging Face folder.
    RETURNS (List[str]): The tags by number.
    RAISES (OpticalError): If the folder is incomplete, or has no tagger.
    """
    return _tags(_folder_config(folder))


def load_tagger(folder: Path, labels: list[str] | None = None) -> WordTagger:
    """Load a tagger, or an encoder with a new classifier.

    folder (Path): A Hugging Face folder. An encoder can be a tagger with more or fewer labels.
    labels (Optional[List[str]]): The tags of a new classifier; by default those of the folder.
    RETURNS (WordTagger): The tagger.
    RAISES (OpticalError): If the folder is incomplete, or has no tags and no `labels` are given.
    """
    config = _folder_config(folder, labels)
    logging.set_verbosity_error()
    return WordTagger(
        AutoModelForTokenClassification.from_pretrained(
            folder,
            config=config,
            attn_implementation=ATTENTION,
            local_files_only=True,
            ignore_mismatched_sizes=labels is not None,  # of the classifier of a tagger
        )
    )


def save_tagger(tagger: WordTagger, tokenizer: bytes, metrics: dict, out: Path) -> None:
    """Write a tagger as a Hugging Face folder. Nothing is written if it fails.

    tagger (WordTagger): The tagger.
    tokenizer (bytes): Its tokenizer.json.
    metrics (dict): The content of metrics.json.
    out (Path): The folder.
    RAISES (OpticalError): If `out` holds something else or cannot be written.
    """
    setattr(tagger.model.config, TOKENIZER_HASH, hashlib.sha256(tokenizer).hexdigest())
    with folder_written_whole(out, marker=CONFIG) as folder:
        try:
            tagger.model.save_pretrained(folder, safe_serialization=True)
        except SafetensorError as err:  # safetensors hides the system's error
            raise OSError(str(err)) from err
        (folder / WEIGHTS).chmod(0o644)
        (folder / TOKENIZER).write_bytes(tokenizer)
        write_settings(folder / TOKENIZER, tagger.max_pieces)
        (folder / METRICS).write_text(json_text(metrics), encoding="utf8")


def finished(folder: Path, fingerprint: str) -> dict | None:
    """Read the metrics of a finished tagger; None if there is none with this fingerprint."""
    if not (folder / WEIGHTS).is_file():
        return None
    try:
        metrics: dict = json.loads((folder / METRICS).read_text(encoding="utf8"))
        return metrics if metrics["fingerprint"] == fingerprint else None
    except (FileNotFoundError, KeyError, TypeError, ValueError):  # missing, or another program's
        return None


def _folder_config(folder: Path, labels: list[str] | None = None) -> Any:
    # Before `check_encoder`, whose message is about encoders.
    if labels is None and (missing := [n for n in NEEDED if not (Path(folder) / n).is_file()]):
        raise OpticalError(Errors.E414.format(path=folder, reason=f"it has no {missing[0]}"))
    check_encoder(folder)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    # Version 0.1 could train on the mean of a word's pieces.
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
