"""Reading of `E5S1` files: BERT encoders with four-bit weights.

The files are little endian, with a header, pieces, a normalisation map and a tensor directory.
Tensors are float32 or Q4_0: blocks of 32 weights in 18 bytes, a float16 scale and 16 bytes whose
low nibbles are weights 0-15 and whose high nibbles are weights 16-31, stored with an offset of 8.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from ..compat import require

MAGIC = b"E5S1"
BLOCK_BYTES = 18
Q4_0 = 1  # the type of such tensors; float32 is 0

# Names of tensors in the file, and in transformers' BertModel.
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
# The numbers of the header by their names in transformers' BertConfig, and the other settings.
_SHAPE = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
)
_FIXED = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "position_embedding_type": "absolute",
}
Config = dict[str, Any]


def dequantise(blocks: np.ndarray, count: int) -> np.ndarray:
    """Convert Q4_0 blocks to float32: weight = (nibble - 8) * scale.

    blocks (ndarray): The blocks, uint8, a multiple of 18 bytes.
    count (int): The number of weights.
    RETURNS (ndarray): The weights, float32, [count].
    """
    rows = blocks.reshape(-1, BLOCK_BYTES)
    scales = rows[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([rows[:, 2:] & 0x0F, rows[:, 2:] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * scales).reshape(-1)[:count]


def read_q4(path: Path) -> tuple[Config, dict[str, np.ndarray]]:
    """Read an E5S1 file. Its content is not checked, so its hash must have been.

    path (Path): The file.
    RETURNS (Tuple[Dict[str, Any], Dict[str, ndarray]]): The content of config.json for a
        transformers `BertModel`, and float32 tensors by its names, matrices as [out, in].
    """
    data, at = Path(path).read_bytes(), len(MAGIC)

    def take(layout: str) -> tuple:
        nonlocal at
        values = struct.unpack_from("<" + layout, data, at)
        at += struct.calcsize("<" + layout)
        return values

    _, *shape = take("8i")
    epsilon, _ = take("fi")
    shape_of = dict(zip(_SHAPE, shape, strict=True))
    config = {**_FIXED, **shape_of, "layer_norm_eps": round(epsilon, 15)}
    pieces, *_, blob = take("5iQ")
    at += 4 * (pieces + 1) + 4 * pieces + blob
    _, bytes_of_map = take("iI")
    at += bytes_of_map
    (entries,) = take("i")
    transformers = require("transformers")
    with require("torch").device("meta"):  # without memory for the weights
        model = transformers.BertModel(transformers.BertConfig(**config), add_pooling_layer=False)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    tensors = {}
    for _ in range(entries):
        (length,) = take("H")
        name = _bert_name(data[at : at + length].decode("utf8"))
        at += length
        kind, count, offset, size = take("BIQQ")
        raw = np.frombuffer(data, dtype=np.uint8, count=size, offset=offset)
        flat = dequantise(raw, count) if kind == Q4_0 else raw.copy().view("<f4")
        tensors[name] = flat.reshape(shapes[name])
    return config, tensors


def _bert_name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    suffix = {"w": "weight", "b": "bias"}[kind]
    return f"encoder.layer.{int(layer[1:])}.{_LAYER[part]}.{suffix}"
