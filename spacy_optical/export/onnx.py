"""Export a tagger to an ONNX graph of fused operators, in single precision."""

import warnings
from typing import Any

import torch
from torch import nn
from torch._C import OptionalType
from torch.nn import functional as F

from ..compat import require, require_onnxruntime
from ..distill.tagger import WordTagger
from ..encoders.folder import pool_after, position_offset
from ..files import scratch_folder
from ..runtime.bundle import INPUTS, OUTPUT, VECTORS
from .quantize import errors_only

# All versions of ONNX Runtime from 1.24 support these. Not all support the exporters' defaults.
OPSET = 17
IR_VERSION = 8
INT32 = 6  # onnx.TensorProto.INT32
MICROSOFT = "com.microsoft"  # where the fused operators are defined


class _Graph(nn.Module):
    """The graph of a bundle. It computes word scores from pieces.

    The queries and the feed-forward part of the last layer only use first pieces. If the tagger
    pools pieces to words, the layers above use words and one special piece, see `pooled_states`.
    """

    def __init__(self, tagger: WordTagger, suffix: int, with_vectors: bool) -> None:
        super().__init__()
        self.suffix = suffix
        self.with_vectors = with_vectors
        self.encoder = tagger.model.base_model
        embeddings = self.encoder.embeddings
        # All pieces have one type, and the padding is at the end of a row.
        positions = embeddings.position_embeddings.weight[position_offset(tagger.model) :]
        self.places = nn.Parameter(positions + embeddings.token_type_embeddings.weight[0])
        self.classifier = tagger.model.classifier

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, first_pieces: torch.Tensor
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        mask = self.encoder.get_extended_attention_mask(attention_mask, input_ids.shape)
        hidden = self.encoder.embeddings.word_embeddings(input_ids)
        hidden = hidden + F.embedding(torch.arange(input_ids.shape[1]), self.places)
        hidden = self.encoder.embeddings.LayerNorm(hidden)
        *lower, last = self.encoder.encoder.layer
        on_pieces = pool_after(self.encoder.config)
        for layer in lower[:on_pieces]:
            hidden = layer(hidden, mask)[0]
        if on_pieces is None:
            words, seen = _Rows.apply(hidden, first_pieces), attention_mask
        else:
            words = _means(first_pieces, attention_mask, self.suffix) @ hidden
            hidden = torch.cat([words, hidden[:, :1]], dim=1)
            seen = torch.cat([(first_pieces > 0).to(torch.int64), attention_mask[:, :1]], dim=1)
            for layer in lower[on_pieces:]:
                hidden = _read(layer, hidden, hidden, seen)
            words = hidden[:, : first_pieces.shape[1]]
        words = _read(last, words, hidden, seen)
        scores = self.classifier(words)
        return (scores, words) if self.with_vectors else scores


def _read(layer: Any, rows: torch.Tensor, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Run a layer for rows [B, W, d] that attend to the hidden states [B, P, d] in the mask."""
    attention = layer.attention.self
    looked = _Attention.apply(
        attention.query(rows),
        attention.key(hidden),
        attention.value(hidden),
        mask,
        attention.num_attention_heads,
    )
    attended = layer.attention.output(looked, rows)
    return layer.output(layer.intermediate(attended), attended)


def _means(first_pieces: torch.Tensor, attention_mask: torch.Tensor, suffix: int) -> torch.Tensor:
    """Return the matrix [B, W, P] that averages the pieces of each word.

    The pieces of a word end before the next word, or before the special pieces at the end. One
    matrix product is the fastest way to compute the mean in ONNX Runtime.
    """
    inner = attention_mask.sum(dim=1, keepdim=True) - suffix
    following = torch.cat([first_pieces[:, 1:], inner], dim=1)
    ends = torch.where(following > 0, following, inner)
    places = torch.arange(attention_mask.shape[1])
    inside = (first_pieces[:, :, None] <= places) & (places < ends[:, :, None])
    return inside.float() / (ends - first_pieces).float()[:, :, None]


class _Rows(torch.autograd.Function):
    """Take rows [B, W, d] of a matrix [B, P, d] by their numbers [B, W]: GatherND."""

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        return matrix.gather(1, index[:, :, None].expand(-1, -1, matrix.shape[-1]))

    @staticmethod
    def symbolic(g: Any, matrix: Any, index: Any) -> Any:
        """Return GatherND. GatherElements needs an index with the size of the result."""
        last = g.op("Constant", value_t=torch.tensor([-1]))
        return g.op("GatherND", matrix, g.op("Unsqueeze", index, last), batch_dims_i=1)


class _Attention(torch.autograd.Function):
    """Attention of words [B, W, d] to pieces [B, P, d], mask [B, P]: MultiHeadAttention."""

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor,
        heads: int,
    ) -> torch.Tensor:
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))
        seen = mask[:, None, None, :].bool()
        return F.scaled_dot_product_attention(q, k, v, attn_mask=seen).transpose(1, 2).flatten(-2)

    @staticmethod
    def symbolic(g: Any, query: Any, key: Any, value: Any, mask: Any, heads: int) -> Any:
        """Return the operator. The optimiser needs as many keys as queries to find it."""
        none = g.op("prim::Constant")
        none.setType(OptionalType.ofTensor())
        mask = g.op("Cast", mask, to_i=INT32)
        out = g.op(
            f"{MICROSOFT}::MultiHeadAttention", query, key, value, none, mask, num_heads_i=heads
        )
        return out.setType(query.type())


def export_onnx(tagger: WordTagger, suffix: int = 1, *, with_vectors: bool = False) -> bytes:
    """Trace a tagger and fuse its operators.

    tagger (WordTagger): The tagger.
    suffix (int): The number of special pieces that the tokenizer adds after a sentence.
    with_vectors (bool): Also output the word vectors from which the scores are computed.
    RETURNS (bytes): The ONNX model, fp32, opset 17.
    RAISES (OpticalError): If a temporary file cannot be written.
    """
    onnx = require("onnx")
    optimizer = require_onnxruntime("onnxruntime.transformers.optimizer")
    fusion = require_onnxruntime("onnxruntime.transformers.fusion_options")
    tagger.eval()
    graph = _Graph(tagger, suffix, with_vectors).eval()
    outputs = [OUTPUT, VECTORS] if with_vectors else [OUTPUT]
    pieces = torch.tensor([[5, 6, 7, 8, 9, 5], [5, 6, 7, 8, 9, 5]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
    firsts = torch.tensor([[1, 3, 4], [1, 2, 0]])
    axes = {name: {0: "batch", 1: "pieces"} for name in ("input_ids", "attention_mask")}
    axes |= {name: {0: "batch", 1: "words"} for name in ("first_pieces", *outputs)}
    config = tagger.model.config
    with scratch_folder() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer; `verify` compares the graph with torch
        path = folder / "traced.onnx"
        torch.onnx.export(
            graph,
            (pieces, mask, firsts),
            str(path),
            input_names=list(INPUTS),
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        options = fusion.FusionOptions("bert")
        options.enable_skip_layer_norm = False  # slower on a CPU, see SLOWER in runtime/shared.py
        options.enable_embed_layer_norm = False  # it would merge the word table
        with errors_only():  # it warns that fused operators have no shape inference
            fused = optimizer.optimize_model(
                str(path),
                model_type="bert",
                num_heads=config.num_attention_heads,
                hidden_size=config.hidden_size,
                optimization_options=options,
                opt_level=0,
            )
        fused.model.ir_version = IR_VERSION
        if not any(opset.domain == MICROSOFT for opset in fused.model.opset_import):
            fused.model.opset_import.append(onnx.helper.make_opsetid(MICROSOFT, 1))
        return fused.model.SerializeToString()
