"""Builders of small real things: models, tokenizers, bundles. Toys are named so."""

import importlib.metadata
import json
import os
import site
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from spacy_optical.data.markup import MarkedText
from spacy_optical.export.weights import with_weights_apart
from spacy_optical.runtime.bundle import INPUTS, OUTPUT, Bundle, BundleInfo
from spacy_optical.runtime.decode import bio_tags

TOY_SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>")
TOY_LABELS = ("DATE", "LOC", "ORG", "PER")
TOY_TAGS = {
    "Amina": "B-PER",
    "Juma": "I-PER",
    "Nairobi": "B-LOC",
    "Benki": "B-ORG",
    "Kuu": "I-ORG",
    "Juni": "B-DATE",
}


def markup_of(marked: MarkedText) -> str:
    """Write a sentence's entities as markup, the inverse of `parse_markup`."""
    text, at = "", 0
    for entity in marked.entities:
        text += f"{marked.text[at : entity.start]}[{marked.surface(entity)}]({entity.label})"
        at = entity.end
    return text + marked.text[at:]


def toy_tokenizer(words: Sequence[str] = tuple(TOY_TAGS), letters: str | None = None) -> bytes:
    """A Unigram tokenizer in XLM-R's manner: whole pieces for `words`, letters for the rest.

    words (Sequence[str]): Words that get a piece of their own.
    letters (Optional[str]): Characters that are known; ASCII letters and digits if not given.
    RETURNS (bytes): The tokenizer.json.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    if letters is None:
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?"
    pieces = [(piece, 0.0) for piece in TOY_SPECIAL_PIECES]
    pieces += [("▁", -4.0), *((letter, -5.0) for letter in letters)]
    pieces += [(f"▁{word}", -1.0) for word in words]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(list(TOY_SPECIAL_PIECES))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer.to_str().encode("utf8")


def toy_model(evidence: NDArray[np.float32], *, context: float = 0.2, seed: int = 0) -> bytes:
    """An ONNX model that keeps the graph contract: embeddings, one attention layer, a tag layer.

    A word's logits are its first piece's row of `evidence`, moved a little by all pieces that the
    attention mask lets through; positions are not seen.

    evidence (NDArray[float32]): Scores of tags by piece, [pieces, tags].
    context (float): How much the other pieces weigh.
    seed (int): Seed of the attention's vectors.
    RETURNS (bytes): The .onnx file's content.
    """
    n_pieces, n_tags = evidence.shape
    width = 24
    rng = np.random.default_rng(seed)
    embeddings = np.concatenate(
        [evidence, rng.normal(size=(n_pieces, width)).astype(np.float32)], axis=1
    )
    tag_layer = rng.normal(scale=0.1, size=(n_tags + width, n_tags)).astype(np.float32)
    tag_layer[:n_tags] = np.eye(n_tags)
    weights = {
        "embeddings": embeddings.astype(np.float32),
        "tag_layer": tag_layer,
        "barred": np.asarray(-1e9, dtype=np.float32),
        "scale": np.asarray((n_tags + width) ** -0.5, dtype=np.float32),
        "context": np.asarray(context, dtype=np.float32),
        "one": np.asarray(1.0, dtype=np.float32),
        "axis_1": np.asarray([1], dtype=np.int64),
        "axis_2": np.asarray([2], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["embeddings", INPUTS[0]], ["vectors"]),
        helper.make_node("Transpose", ["vectors"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["vectors", "turned"], ["products"]),
        helper.make_node("Mul", ["products", "scale"], ["scaled"]),
        helper.make_node("Cast", [INPUTS[1]], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["one", "mask"], ["unseen"]),
        helper.make_node("Mul", ["unseen", "barred"], ["penalty"]),
        helper.make_node("Unsqueeze", ["penalty", "axis_1"], ["penalties"]),
        helper.make_node("Add", ["scaled", "penalties"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["attention"], axis=-1),
        helper.make_node("MatMul", ["attention", "vectors"], ["attended"]),
        helper.make_node("Mul", ["attended", "context"], ["weighed"]),
        helper.make_node("Add", ["vectors", "weighed"], ["hidden"]),
        helper.make_node("Unsqueeze", [INPUTS[2], "axis_2"], ["positions"]),
        helper.make_node("GatherND", ["hidden", "positions"], ["words"], batch_dims=1),
        helper.make_node("MatMul", ["words", "tag_layer"], [OUTPUT]),
    ]
    dims = (("batch", "pieces"), ("batch", "pieces"), ("batch", "words"))
    graph = helper.make_graph(
        nodes,
        "toy",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            for name, shape in zip(INPUTS, dims, strict=True)
        ],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ("batch", "words", n_tags))],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def toy_bundle(
    tags: Mapping[str, str] | None = None,
    *,
    labels: Sequence[str] = TOY_LABELS,
    max_pieces: int = 32,
    context: float = 0.2,
    **info: Any,
) -> Bundle:
    """A bundle whose model knows a few words by heart and calls everything else O.

    tags (Optional[Mapping[str, str]]): The tag of each known word; `TOY_TAGS` if not given.
    labels (Sequence[str]): The labels.
    max_pieces (int): The size of a window.
    context (float): How much other words weigh; see `toy_model`.
    info (Any): Further fields of `BundleInfo`.
    RETURNS (Bundle): The bundle.
    """
    tags = TOY_TAGS if tags is None else tags
    tokenizer = toy_tokenizer(tuple(tags))
    names = bio_tags(labels)
    vocabulary = [piece for piece, _ in json.loads(tokenizer)["model"]["vocab"]]
    evidence = np.zeros((len(vocabulary), len(names)), dtype=np.float32)
    evidence[:, 0] = 4.0
    for word, tag in tags.items():
        row = evidence[vocabulary.index(f"▁{word}")]
        row[0] = 0.0
        row[names.index(tag)] = 6.0
    defaults: dict[str, Any] = {
        "preset": "fp32",
        "inputs": INPUTS,
        "output": OUTPUT,
        "provenance": {"toy": True},
        "metrics": {},
        "languages": ("sw",),
    }
    made = BundleInfo(labels=tuple(labels), max_pieces=max_pieces, **{**defaults, **info})
    return Bundle(made, toy_model(evidence, context=context), tokenizer)


def large_bundle(**info: Any) -> Bundle:
    """A toy bundle with so many words that its table of pieces lies apart, in `weights.bin`.

    info (Any): Further fields of `BundleInfo`.
    RETURNS (Bundle): The bundle; beside the words of `TOY_TAGS` it calls neno0 to neno499 places.
    """
    return with_weights_apart(
        toy_bundle({**TOY_TAGS, **{f"neno{at}": "B-LOC" for at in range(500)}}, **info)
    )


def toy_random_bundle(*, seed: int = 0, max_pieces: int = 24, **info: Any) -> Bundle:
    """A bundle that calls letters, digits and unknown characters at random tags.

    seed (int): Seed of the scores.
    max_pieces (int): The size of a window.
    info (Any): Further fields of `BundleInfo`.
    RETURNS (Bundle): The bundle.
    """
    bundle = toy_bundle(max_pieces=max_pieces, **info)
    n_pieces = len(json.loads(bundle.tokenizer)["model"]["vocab"])
    evidence = np.random.default_rng(seed).normal(
        scale=3.0, size=(n_pieces, 2 * len(TOY_LABELS) + 1)
    )
    return replace(bundle, model=toy_model(evidence.astype(np.float32), seed=seed))


def quantised(model: bytes, folder: Path) -> bytes:
    """Quantise a model to 8 bits, activations dynamically.

    model (bytes): An ONNX model.
    folder (Path): Where intermediate files may go.
    RETURNS (bytes): The quantised model.
    """
    from onnxruntime.quantization import quantize_dynamic

    (folder / "whole.onnx").write_bytes(model)
    quantize_dynamic(folder / "whole.onnx", folder / "int8.onnx")
    return (folder / "int8.onnx").read_bytes()


def environment_without(folder: Path, *packages: str) -> dict[str, str]:
    """Environment variables for a Python that has all packages of this one but a few.

    Run it with `-S`, so that the real site-packages stay out of sight.

    folder (Path): An empty folder, for links to the packages that stay.
    packages (str): Import names, e.g. "torch"; their distributions go with them.
    RETURNS (Dict[str, str]): The variables, to pass as `env`.
    """
    hidden = set(packages)
    for name, distributions in importlib.metadata.packages_distributions().items():
        if name in packages:
            hidden |= {distribution.replace("-", "_").lower() for distribution in distributions}
    for directory in filter(os.path.isdir, site.getsitepackages()):  # Debian lists one too many
        for entry in Path(directory).iterdir():
            if entry.name.split("-")[0].split(".")[0].lower() not in hidden:
                (folder / entry.name).symlink_to(entry)
    path = os.pathsep.join((str(folder), str(Path(__file__).parent.parent)))
    return {**os.environ, "PYTHONPATH": path}


def trained_toy_tokenizer(
    sentences: Sequence[str], *, kind: str = "Unigram", size: int = 300
) -> bytes:
    """A tokenizer trained on a few sentences, in XLM-R's manner (Unigram) or BERT's (WordPiece).

    sentences (Sequence[str]): The text.
    kind (str): `Unigram` or `WordPiece`.
    size (int): The most pieces; all characters of the text are among them.
    RETURNS (bytes): The tokenizer.json.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    trainer: Any
    if kind == "Unigram":
        special = [*TOY_SPECIAL_PIECES, "<mask>"]
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=size, special_tokens=special, unk_token="<unk>", show_progress=False
        )
        frame, pair = "<s> $A </s>", "<s> $A </s> </s> $B </s>"
    else:
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=size, special_tokens=special, show_progress=False
        )
        frame, pair = "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"
    tokenizer.train_from_iterator(sentences, trainer)
    ends = {piece: tokenizer.token_to_id(piece) for piece in frame.split() if piece != "$A"}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=frame, pair=pair, special_tokens=list(ends.items())
    )
    return tokenizer.to_str().encode("utf8")


def toy_encoder(
    folder: Path,
    tokenizer: bytes,
    *,
    kind: str = "bert",
    layers: int = 4,
    width: int = 32,
    positions: int = 96,
    seed: int = 0,
) -> Path:
    """A Hugging Face folder with an encoder that knows nothing: its weights are random.

    folder (Path): The folder to write.
    tokenizer (bytes): The tokenizer.json, Unigram or WordPiece as made here.
    kind (str): `bert` or `xlm-roberta`, which has two more rows for positions.
    layers (int): Layers.
    width (int): The hidden size; the feed-forward parts are twice as wide, there are 4 heads.
    positions (int): The most pieces of a sentence.
    seed (int): Seed of the weights.
    RETURNS (Path): The folder.
    """
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModel

    cut = Tokenizer.from_buffer(tokenizer)
    pad = "<pad>" if cut.token_to_id("<pad>") is not None else "[PAD]"
    config = AutoConfig.for_model(
        kind,
        vocab_size=cut.get_vocab_size(),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=positions + (2 if kind == "xlm-roberta" else 0),
        type_vocab_size=1,
        pad_token_id=cut.token_to_id(pad),
        initializer_range=0.05,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        AutoModel.from_config(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer)
    return folder


def pooled_toy_encoder(folder: Path, tokenizer: bytes, *, pool_after: int, **shape: Any) -> Path:
    """A toy encoder whose upper layers work on words.

    folder (Path): The folder to write.
    tokenizer (bytes): As for `toy_encoder`.
    pool_after (int): How many layers work on pieces.
    shape (Any): As for `toy_encoder`.
    RETURNS (Path): The folder.
    """
    toy_encoder(folder, tokenizer, **shape)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf8"))
    path.write_text(json.dumps({**config, "pool_after": pool_after}), encoding="utf8")
    return folder


def without_positions(folder: Path) -> Path:
    """Make a toy encoder's layer 0 the same for a word wherever it stands.

    folder (Path): A folder that `toy_encoder` wrote; it is changed.
    RETURNS (Path): The folder.
    """
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, add_pooling_layer=False)
    torch.nn.init.zeros_(model.embeddings.position_embeddings.weight)
    model.save_pretrained(folder)
    return folder
