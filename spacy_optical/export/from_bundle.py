"""A bundle turned back into a tagger that can be trained.

The graph keeps the names of biases and norms. Fusing and quantising rename the matrices, so each is
found from its bias: through the operators between the bias and the product. Integers are multiplied
with their scales; what rounding lost stays lost.
"""

import re
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForTokenClassification, logging

from ..compat import require
from ..distill.tagger import WordTagger
from ..errors import Errors, OpticalError
from ..runtime.bundle import INPUTS, Bundle
from ..runtime.decode import bio_tags
from ..runtime.pieces import WordPieces
from .table import unpacked

_LAYER = re.compile(r"encoder\.encoder\.layer\.(\d+)\.output\.dense\.bias")
_LINEAR = ("attention.output.dense", "intermediate.dense", "output.dense")
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_SELF = ("query", "key", "value")


def tagger_of_bundle(bundle: Bundle) -> WordTagger:
    """Make a tagger with the weights of a bundle.

    bundle (Bundle): A bundle of any preset that `export_bundle` wrote.
    RETURNS (WordTagger): The tagger, shaped like BERT. Its tokenizer is the bundle's.
    RAISES (OpticalError): If the graph is not of the form that `export_onnx` gives now.
    """
    try:
        graph = _Graph(bundle)
        weights = graph.state()
        config = graph.config(bundle)
    except (KeyError, IndexError, ValueError, StopIteration) as err:
        reason = f"{type(err).__name__}: {err}"
        raise OpticalError(Errors.E507.format(path=bundle.where, reason=reason)) from err
    logging.set_verbosity_error()
    model = AutoModelForTokenClassification.from_config(config, attn_implementation="sdpa")
    state = {name: torch.tensor(np.ascontiguousarray(array)) for name, array in weights.items()}
    try:
        model.load_state_dict(state)
    except RuntimeError as err:  # torch lists each tensor on a line of its own
        reason = " ".join(str(err).split())[:200]
        raise OpticalError(Errors.E507.format(path=bundle.where, reason=reason)) from err
    return WordTagger(model)


class _Graph:
    """The nodes and weights of a bundle's model."""

    def __init__(self, bundle: Bundle) -> None:
        onnx = require("onnx")
        model = onnx.load_from_string(bundle.model)
        stored = bundle.weights
        self.arrays: dict[str, np.ndarray] = {}
        self.read: set[str] = set()
        for tensor in model.graph.initializer:
            if onnx.external_data_helper.uses_external_data(tensor):
                place = onnx.external_data_helper.ExternalDataInfo(tensor)
                tensor.raw_data = stored[place.offset : place.offset + place.length]
                tensor.data_location = onnx.TensorProto.DEFAULT
            self.arrays[tensor.name] = onnx.numpy_helper.to_array(tensor)
        self.nodes: list[Any] = list(model.graph.node)
        self.maker = {name: node for node in self.nodes for name in node.output}
        self.value_of = onnx.helper.get_attribute_value
        self.layers = sum(_LAYER.fullmatch(name) is not None for name in self.arrays)

    def state(self) -> dict[str, np.ndarray]:
        """Give the weights under the names of transformers' `BertForTokenClassification`."""
        places = self.numbers(self.stored("places"))
        found = {
            "bert.embeddings.word_embeddings.weight": self.word_table(),
            "bert.embeddings.position_embeddings.weight": places,
            # The graph adds what a piece's type adds to the positions.
            "bert.embeddings.token_type_embeddings.weight": np.zeros((1, places.shape[1]), "f4"),
            **self.named("encoder.embeddings.LayerNorm", "bert.embeddings.LayerNorm"),
            **self.linear("classifier", "classifier"),
        }
        for number in range(self.layers):
            here, there = f"encoder.encoder.layer.{number}", f"bert.encoder.layer.{number}"
            for part in _LINEAR:
                found |= self.linear(f"{here}.{part}", f"{there}.{part}")
            for part in _NORMS:
                found |= self.named(f"{here}.{part}", f"{there}.{part}")
            found |= self.attention(f"{here}.attention", f"{there}.attention.self")
        for name, array in self.arrays.items():
            # The exporter joins equal weights, so a layer may have lost the names it is found by.
            if array.ndim == 2 and name not in self.read:
                raise ValueError(f"the matrix {name} has no place")
        return found

    def config(self, bundle: Bundle) -> Any:
        """Give the shape, as a transformers config."""
        vocabulary, width = self.word_table().shape
        on_words = [node for node in self.nodes if node.op_type == "MultiHeadAttention"]
        # Where pieces are pooled to words, all layers above do so; otherwise only the last one.
        pools = not any(node.op_type == "GatherND" for node in self.nodes)
        if not any(node.op_type == "BiasGelu" for node in self.nodes):
            raise ValueError("its activation is not GELU")
        norm = next(node for node in self.nodes if node.op_type == "LayerNormalization")
        tags = bio_tags(bundle.info.labels)
        return AutoConfig.for_model(
            "bert",
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.attribute(on_words[-1], "num_heads"),
            intermediate_size=len(self.arrays["encoder.encoder.layer.0.intermediate.dense.bias"]),
            max_position_embeddings=len(self.arrays[self.stored("places")]),
            type_vocab_size=1,
            layer_norm_eps=float(f"{self.attribute(norm, 'epsilon'):.6g}"),
            pad_token_id=WordPieces(bundle.tokenizer).pad_id,
            pool_after=self.layers - len(on_words) if pools else None,
            id2label=dict(enumerate(tags)),
            label2id={tag: number for number, tag in enumerate(tags)},
        )

    def word_table(self) -> np.ndarray:
        """Give the vectors of pieces, [V, d]."""
        lookup = next(
            node for node in self.nodes if node.op_type == "Gather" and node.input[1] == INPUTS[0]
        )
        name = lookup.input[0]
        stem = name.removesuffix("/packed")
        if stem != name:
            self.read.add(name)
            return unpacked(self.arrays[name], self.arrays[f"{stem}/scales"])
        return self.numbers(name)

    def attention(self, here: str, there: str) -> dict[str, np.ndarray]:
        """Give the matrices and biases of queries, keys and values."""
        found: dict[str, np.ndarray] = {}
        if f"{here}.self.query.bias" in self.arrays:
            for part in _SELF:
                found |= self.linear(f"{here}.self.{part}", f"{there}.{part}")
            return found
        # Fused: one matrix and one bias hold all three, side by side.
        node = self.maker[self.product(f"{here}.output.dense").input[0]]
        while not node.op_type.endswith("Attention"):
            node = self.maker[node.input[0]]
        matrices = np.split(self.numbers(node.input[1]).T, 3)
        biases = np.split(self.arrays[node.input[2]], 3)
        for part, matrix, bias in zip(_SELF, matrices, biases, strict=True):
            found |= {f"{there}.{part}.weight": matrix, f"{there}.{part}.bias": bias}
        return found

    def linear(self, here: str, there: str) -> dict[str, np.ndarray]:
        """Give the matrix and the bias of a linear layer."""
        bias = self.arrays[f"{here}.bias"]
        return {f"{there}.weight": self.matrix(here), f"{there}.bias": bias}

    def matrix(self, stem: str) -> np.ndarray:
        """Give a linear layer's matrix, [out, in]."""
        return self.numbers(self.product(stem).input[1]).T

    def product(self, stem: str) -> Any:
        """Find the product of matrices whose result a linear layer's bias is added to."""
        bias = f"{stem}.bias"
        adding = next(node for node in self.nodes if bias in node.input)
        node = self.maker[next(name for name in adding.input if name != bias)]
        while node.op_type not in ("MatMul", "MatMulInteger"):
            node = self.maker[node.input[0]]
        return node

    def stored(self, name: str) -> str:
        """Give the name under which a weight is stored, as floats or as integers."""
        return name if name in self.arrays else f"{name}_quantized"

    def numbers(self, name: str) -> np.ndarray:
        """Give a stored weight as float32."""
        array = self.arrays[name]
        self.read.add(name)
        if array.dtype.kind == "f":
            return array.astype(np.float32)
        stem = name.removesuffix("_quantized")
        zero = self.arrays[f"{stem}_zero_point"].astype(np.float32)
        # A scale for each column, or one for all.
        scaled: np.ndarray = (array.astype(np.float32) - zero) * self.arrays[f"{stem}_scale"]
        return scaled

    def named(self, here: str, there: str) -> dict[str, np.ndarray]:
        """Give a norm's two vectors."""
        return {f"{there}.{kind}": self.arrays[f"{here}.{kind}"] for kind in ("weight", "bias")}

    def attribute(self, node: Any, name: str) -> Any:
        """Give the value of a node's attribute."""
        return self.value_of(next(one for one in node.attribute if one.name == name))
