"""Training of an encoder on raw text."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from spacy_optical.distill import specialization as module
from spacy_optical.distill.masked_words import mask_words
from spacy_optical.distill.sentences import collate, plain_sentence
from spacy_optical.distill.specialization import specialize
from spacy_optical.encoders.folder import check_encoder
from spacy_optical.encoders.word_vectors import WordEncoder
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces
from tests.util import toy_encoder, trained_toy_tokenizer

from ..command_line import run, told

NAMES = ("Amina", "Juma", "Neema", "Baraka")
PLACES = ("Nairobi", "Mombasa", "Mwanza", "Arusha")
TEXT = [f"{a} na {b} wanaishi {c} sasa." for a in NAMES for b in NAMES for c in PLACES]
ENGLISH = [f"{a} lives in {c} now." for a in NAMES for c in PLACES]


@pytest.fixture(params=["bert", "xlm-roberta"])
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    tokenizer = trained_toy_tokenizer([*TEXT, *ENGLISH, "zzz qqq"], size=120)
    return toy_encoder(tmp_path / "encoder", tokenizer, kind=request.param, layers=2)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "sw.txt"
    path.write_text("\n".join(TEXT) + "\n", encoding="utf8")
    return path


@pytest.fixture(autouse=True)
def few_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_BATCHES", 2)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return AutoModel.from_pretrained(folder, add_pooling_layer=False).state_dict()


def test_the_encoder_learns_the_text_and_stays_an_encoder(
    tmp_path: Path, encoder: Path, text: Path
):
    english = tmp_path / "en.txt"
    english.write_text("\n".join(ENGLISH), encoding="utf8")
    out = tmp_path / "out"
    metrics = specialize(encoder, text, out, english=english, epochs=20, batch_size=8)
    assert metrics["held_out"]["after"] < metrics["held_out"]["before"] - 0.1
    assert metrics["sentences"] == {"own": len(TEXT), "others": len(ENGLISH)}
    assert metrics["unknown_words"] == 0
    assert metrics["pieces_per_word"] >= 1
    assert json.loads((out / "metrics.json").read_text())["held_out"] == metrics["held_out"]
    check_encoder(out)
    assert WordEncoder(out, 1).vectors([["Amina", "Nairobi"]])[0].shape == (2, 32)
    assert (out / "tokenizer.json").read_bytes() == (encoder / "tokenizer.json").read_bytes()
    before, after = weights(encoder), weights(out)
    assert {name: value.shape for name, value in before.items()} == {
        name: value.shape for name, value in after.items()
    }
    # Pieces that do not occur in the text are not trained.
    table = "embeddings.word_embeddings.weight"
    pieces = WordPieces((encoder / "tokenizer.json").read_bytes())
    (occurs,), (absent,) = pieces.pieces(["Nairobi"])[:1], pieces.pieces(["qqq"])
    unseen = [i for i in absent if i not in {p for w in pieces.pieces(["Amina", "na"]) for p in w}]
    assert not torch.equal(before[table][occurs[0]], after[table][occurs[0]])
    assert torch.equal(before[table][unseen[-1]], after[table][unseen[-1]])


def test_an_interrupted_run_continues_to_the_same_weights(
    tmp_path: Path, encoder: Path, text: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = specialize(encoder, text, tmp_path / "whole", epochs=2, batch_size=16)
    finish: Callable = module.MaskedWordModel.finish
    monkeypatch.setattr(module.MaskedWordModel, "finish", lambda model: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        specialize(encoder, text, tmp_path / "stopped", epochs=2, batch_size=16)
    assert not (tmp_path / "stopped").exists()
    monkeypatch.setattr(module.MaskedWordModel, "finish", finish)
    again = specialize(encoder, text, tmp_path / "stopped", epochs=2, batch_size=16, resume=True)
    assert again["epochs"] == whole["epochs"]
    stopped = weights(tmp_path / "stopped")
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(value, stopped[name]), name
    said: list[str] = []
    specialize(
        encoder, text, tmp_path / "whole", epochs=2, batch_size=16, resume=True, say=said.append
    )
    assert said == [f"{tmp_path / 'whole'} was made from the same already"]


def test_whole_words_are_masked_and_special_pieces_never():
    pieces = WordPieces(trained_toy_tokenizer(TEXT, size=60))
    sentences = [plain_sentence(line.split(), pieces) for line in TEXT[:20]]
    sentences.append(plain_sentence(["Amina"], pieces))
    batch = collate(sentences, pieces)
    torch.manual_seed(0)
    inputs, masked = mask_words(batch, mask=4)
    words = batch.words.shape[1]
    assert not masked[batch.word_of_piece == words].any()
    assert torch.equal(inputs[~masked], batch.input_ids[~masked])
    assert masked.any(dim=1).all()
    for row in range(len(sentences)):
        for word in range(len(sentences[row].words)):
            assert len(set(masked[row][batch.word_of_piece[row] == word].tolist())) == 1
    shares = masked.sum() / (batch.word_of_piece < words).sum()
    assert 0.1 < shares < 0.35


@pytest.mark.parametrize("encoder", ["bert"], indirect=True)
def test_bad_input_is_one_sentence(tmp_path: Path, encoder: Path, text: Path):
    short = tmp_path / "short.txt"
    short.write_text("Two words\nOne\n", encoding="utf8")
    out = tmp_path / "out"
    assert "[E422]" in told(run("specialize", encoder, short, out))
    assert "none.txt" in told(run("specialize", encoder, tmp_path / "none.txt", out))
    (tmp_path / "latin.txt").write_bytes(b"Amina na Juma wanaishi Z\xfcrich\n")
    assert "[E222]" in told(run("specialize", encoder, tmp_path / "latin.txt", out))
    assert "[E413]" in told(run("specialize", encoder, text, out, "--max-pieces", 500))
    settings = json.loads((encoder / "tokenizer.json").read_text(encoding="utf8"))
    settings["added_tokens"] = [t for t in settings["added_tokens"] if t["content"] != "<mask>"]
    for entry in settings["model"]["vocab"]:
        entry[0] = entry[0].replace("<mask>", "maskless")
    (encoder / "tokenizer.json").write_text(json.dumps(settings), encoding="utf8")
    assert "[E421]" in told(run("specialize", encoder, text, out))
    assert not out.exists()


@pytest.mark.parametrize("encoder", ["bert"], indirect=True)
def test_the_command_writes_an_encoder(tmp_path: Path, encoder: Path, text: Path):
    result = run("specialize", encoder, text, tmp_path / "out", "--epochs", 1, "--lang", "sw")
    assert result.exit_code == 0, result.output
    assert "loss on held-out sentences" in " ".join(result.output.split())
    with pytest.raises(OpticalError, match="E010"):
        specialize(encoder, text, encoder)
