"""A tagger as an ONNX graph of fused operators, in single precision."""

import logging
import math
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..compat import require
from ..distill.tagger import WordTagger
from ..errors import Errors, OpticalError
from ..runtime.bundle import INPUTS, OUTPUT

# ONNX Runtime 1.20 and later read both; newer defaults of the exporters are not read everywhere.
OPSET = 17
IR_VERSION = 8
MICROSOFT = "com.microsoft"  # where the fused operators are defined


class _Graph(nn.Module):
    """The graph contract: word scores from pieces, the gather of first pieces inside.

    The last layer computes no more than what is asked of it: all pieces are looked at, but only
    first pieces look, and only they go through its feed-forward part.
    """

    def __init__(self, tagger: WordTagger) -> None:
        super().__init__()
        self.encoder = tagger.model.base_model
        self.classifier = tagger.model.classifier

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, first_pieces: torch.Tensor
    ) -> torch.Tensor:
        mask = self.encoder.get_extended_attention_mask(attention_mask, input_ids.shape)
        hidden = self.encoder.embeddings(input_ids=input_ids)
        *lower, last = self.encoder.encoder.layer
        for layer in lower:
            hidden = layer(hidden, mask)[0]
        index = first_pieces[:, :, None].expand(-1, -1, hidden.shape[-1])
        words = hidden.gather(1, index)
        looked = _attend(last.attention.self, words, hidden, mask)
        attended = last.attention.output(looked, words)
        return self.classifier(last.output(last.intermediate(attended), attended))


def _attend(
    attention: Any, words: torch.Tensor, pieces: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Let words [B, W, d] look at pieces [B, P, d] through the weights of a self-attention."""
    heads, size = attention.num_attention_heads, attention.attention_head_size

    def split(vectors: torch.Tensor) -> torch.Tensor:
        return vectors.unflatten(-1, (heads, size)).transpose(1, 2)

    query, key = split(attention.query(words)), split(attention.key(pieces))
    shares = (query @ key.transpose(-1, -2) / math.sqrt(size) + mask).softmax(dim=-1)
    return (shares @ split(attention.value(pieces))).transpose(1, 2).flatten(-2)


def export_onnx(tagger: WordTagger) -> bytes:
    """Trace a tagger and fuse its operators.

    tagger (WordTagger): A tagger that reads first pieces, loaded with `attention="eager"`, which
        is the form that ONNX Runtime's optimiser knows.
    RETURNS (bytes): The ONNX model, fp32, opset 17.
    RAISES (OpticalError): If the tagger pools all pieces of a word.
    """
    if tagger.pooling != "first":
        raise OpticalError(Errors.E501.format(pooling=tagger.pooling))
    onnx = require("onnx")
    optimizer = require("onnxruntime.transformers.optimizer")
    tagger.eval()
    graph = _Graph(tagger).eval()
    pieces = torch.tensor([[5, 6, 7, 8, 9, 5], [5, 6, 7, 8, 9, 5]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
    firsts = torch.tensor([[1, 3, 4], [1, 2, 0]])
    free = {"input_ids": ("batch", "pieces"), "attention_mask": ("batch", "pieces")}
    free |= {"first_pieces": ("batch", "words"), OUTPUT: ("batch", "words")}
    config = tagger.model.config
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer: the graph is checked against torch instead
        path = Path(folder) / "traced.onnx"
        torch.onnx.export(
            graph,
            (pieces, mask, firsts),
            str(path),
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_axes={name: dict(enumerate(axes)) for name, axes in free.items()},
            opset_version=OPSET,
            dynamo=False,
        )
        logging.getLogger("onnxruntime.transformers").setLevel(logging.ERROR)
        fused = optimizer.optimize_model(
            str(path),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
        )
        fused.model.ir_version = IR_VERSION
        if not any(opset.domain == MICROSOFT for opset in fused.model.opset_import):
            fused.model.opset_import.append(onnx.helper.make_opsetid(MICROSOFT, 1))
        return fused.model.SerializeToString()
