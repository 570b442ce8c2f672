"""Convert a bundle back to a tagger that can be trained.

The graph keeps the names of biases and norms. Fusing and quantisation rename the matrices, so each
matrix is found from its bias, through the operators between the bias and the product. Integers are
multiplied with their scales. The rounding errors of the quantisation remain.
"""

import re
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForTokenClassification, logging

from ..compat import require
from ..distill.tagger import ATTENTION, WordTagger
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
    """Create a tagger with the weights of a bundle.

    bundle (Bundle): A bundle of `export_bundle`, with any preset.
    RETURNS (WordTagger): The tagger, with the architecture of BERT and the bundle's tokenizer.
    RAISES (OpticalError): If the graph does not have the form that `export_onnx` writes.
    """
    logging.set_verbosity_error()
    try:
        graph = _Graph(bundle)
        weights, config = graph.state(), graph.config(bundle)
        model = AutoModelForTokenClassification.from_config(config, attn_implementation=ATTENTION)
        state = {name: torch.tensor(np.ascontiguousarray(array)) for name, array in weights.items()}
        model.load_state_dict(state)
    except (KeyError, IndexError, ValueError, StopIteration, RuntimeError) as err:
        # A message of torch has a line for each tensor.
        reason = " ".join(f"{type(err).__name__}: {err}".split())[:200]
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
        self.attribute = onnx.helper.get_node_attr_value
        self.layers = sum(_LAYER.fullmatch(name) is not None for name in self.arrays)

    def state(self) -> dict[str, np.ndarray]:
        """Return the weights by the names of transformers' `BertForTokenClassification`."""
        places = self.numbers("places")
        found = {
            "bert.embeddings.word_embeddings.weight": self.word_table(),
            "bert.embeddings.position_embeddings.weight": places,
            # The positions of the graph include the token types.
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
            # The exporter merges equal weights, so the names of a layer may be missing.
            if array.ndim == 2 and name not in self.read:
                raise ValueError(f"the matrix {name} has no place")
        return found

    def config(self, bundle: Bundle) -> Any:
        """Return the transformers config."""
        vocabulary, width = self.word_table().shape
        on_words = [node for node in self.nodes if node.op_type == "MultiHeadAttention"]
        # A model that pools pieces to words has no GatherND, and all layers above work on words.
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
            max_position_embeddings=len(self.numbers("places")),
            type_vocab_size=1,
            layer_norm_eps=float(f"{self.attribute(norm, 'epsilon'):.6g}"),
            pad_token_id=WordPieces(bundle.tokenizer).pad_id,
            pool_after=self.layers - len(on_words) if pools else None,
            id2label=dict(enumerate(tags)),
            label2id={tag: number for number, tag in enumerate(tags)},
        )

    def word_table(self) -> np.ndarray:
        """Return the vectors of the pieces, [V, d]."""
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
        """Return the matrices and biases of queries, keys and values."""
        found: dict[str, np.ndarray] = {}
        if f"{here}.self.query.bias" in self.arrays:
            for part in _SELF:
                found |= self.linear(f"{here}.self.{part}", f"{there}.{part}")
            return found
        # Fused: one matrix and one bias contain all three.
        node = self.maker[self.product(f"{here}.output.dense").input[0]]
        while not node.op_type.endswith("Attention"):
            node = self.maker[node.input[0]]
        matrices = np.split(self.numbers(node.input[1]).T, 3)
        biases = np.split(self.arrays[node.input[2]], 3)
        for part, matrix, bias in zip(_SELF, matrices, biases, strict=True):
            found |= {f"{there}.{part}.weight": matrix, f"{there}.{part}.bias": bias}
        return found

    def linear(self, here: str, there: str) -> dict[str, np.ndarray]:
        """Return the matrix, [out, in], and the bias of a linear layer."""
        matrix = self.numbers(self.product(here).input[1]).T
        return {f"{there}.weight": matrix, f"{there}.bias": self.arrays[f"{here}.bias"]}

    def product(self, stem: str) -> Any:
        """Find the matrix product of a linear layer."""
        bias = f"{stem}.bias"
        adding = next(node for node in self.nodes if bias in node.input)
        node = self.maker[next(name for name in adding.input if name != bias)]
        while node.op_type not in ("MatMul", "MatMulInteger"):
            node = self.maker[node.input[0]]
        return node

    def numbers(self, name: str) -> np.ndarray:
        """Return a weight as float32."""
        name = name if name in self.arrays else f"{name}_quantized"
        array = self.arrays[name]
        self.read.add(name)
        if array.dtype.kind == "f":
            return array.astype(np.float32)
        stem = name.removesuffix("_quantized")
        zero = self.arrays[f"{stem}_zero_point"].astype(np.float32)
        # There is one scale, or one for each column.
        scaled: np.ndarray = (array.astype(np.float32) - zero) * self.arrays[f"{stem}_scale"]
        return scaled

    def named(self, here: str, there: str) -> dict[str, np.ndarray]:
        """Return the two vectors of a norm."""
        return {f"{there}.{kind}": self.arrays[f"{here}.{kind}"] for kind in ("weight", "bias")}
