import struct
from pathlib import Path

import numpy as np

from spacy_optical.encoders.q4 import dequantise, read_q4

from ..toy_project import q4_block, write_toy_q4


def test_block_by_hand():
    # scale 0.5; weight 0 has nibble 0, weight 1 nibble 15, weight 16 nibble 9, the others 8.
    block = struct.pack("<e", 0.5) + bytes([0x90, 0x8F] + [0x88] * 14)
    expected = np.zeros(32, dtype=np.float32)
    expected[[0, 1, 16]] = [-4.0, 3.5, 0.5]
    np.testing.assert_array_equal(dequantise(np.frombuffer(block, np.uint8), 32), expected)


def test_builder_packs_as_the_format_says():
    nibbles = np.full(32, 8)
    nibbles[[0, 1, 16]] = [0, 15, 9]
    assert q4_block(np.float16(0.5), nibbles) == struct.pack("<e", 0.5) + bytes(
        [0x90, 0x8F] + [0x88] * 14
    )


def test_count_cuts_the_last_block():
    block = struct.pack("<e", 1.0) + bytes([0x99] * 16)
    np.testing.assert_array_equal(dequantise(np.frombuffer(block, np.uint8), 5), np.ones(5))


def test_round_trip(tmp_path: Path):
    weights = write_toy_q4(tmp_path / "toy.bin", layers=2)
    config, tensors = read_q4(tmp_path / "toy.bin")
    assert (config["hidden_size"], config["num_hidden_layers"]) == (32, 2)
    assert (config["num_attention_heads"], config["vocab_size"]) == (4, 300)
    assert (config["intermediate_size"], config["max_position_embeddings"]) == (64, 64)
    assert config["type_vocab_size"] == 2
    names = {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.LayerNorm.bias": "emb.ln.b",
        "encoder.layer.0.attention.self.query.weight": "l0.q.w",
        "encoder.layer.1.attention.self.value.bias": "l1.v.b",
        "encoder.layer.1.attention.output.dense.weight": "l1.ao.w",
        "encoder.layer.0.attention.output.LayerNorm.weight": "l0.aln.w",
        "encoder.layer.1.intermediate.dense.weight": "l1.fi.w",
        "encoder.layer.0.output.dense.weight": "l0.fo.w",
        "encoder.layer.0.output.LayerNorm.bias": "l0.oln.b",
    }
    for name, stored in names.items():
        np.testing.assert_array_equal(tensors[name], weights[stored], err_msg=name)
    assert len(tensors) == len(weights)


def test_transformers_takes_every_tensor(tmp_path: Path):
    import torch
    from transformers import BertConfig, BertModel

    write_toy_q4(tmp_path / "toy.bin")
    config, tensors = read_q4(tmp_path / "toy.bin")
    model = BertModel(BertConfig(**config), add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(t) for name, t in tensors.items()})
