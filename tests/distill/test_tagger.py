import json
import shutil
from pathlib import Path

import pytest
import torch

from spacy_optical.distill.sentences import Batch, collate, plain_sentence
from spacy_optical.distill.tagger import first_pieces, load_tagger
from spacy_optical.encoders.folder import position_offset
from spacy_optical.encoders.word_pooling import word_means
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained
from ..toy_project import toy_text
from ..util import toy_encoder, toy_tokenizer, trained_toy_tokenizer


def test_batch_by_hand():
    # "Amina" is one piece; "ab" is the space, a and b; special pieces are 0, 2 and, to pad, 1.
    pieces = WordPieces(toy_tokenizer(["Amina"], letters="ab"))
    amina, space, a, b = 7, 4, 5, 6
    batch = collate(
        [plain_sentence(["Amina", "ab", "Amina"], pieces), plain_sentence(["ab"], pieces)], pieces
    )
    assert batch.input_ids.tolist() == [
        [0, amina, space, a, b, amina, 2],
        [0, space, a, b, 2, 1, 1],
    ]
    assert batch.attention_mask.tolist() == [[1] * 7, [1] * 5 + [0] * 2]
    assert batch.first_pieces.tolist() == [[1, 2, 5], [1, 0, 0]]
    assert batch.word_of_piece.tolist() == [[3, 0, 1, 1, 1, 2, 3], [3, 0, 0, 0, 3, 3, 3]]
    assert batch.words.tolist() == [[True] * 3, [True, False, False]]
    assert (batch.tags == -100).all()


def hand_made() -> tuple[torch.Tensor, Batch]:
    """One row: <s>, a word of one piece, a word of three, </s>; vectors 10, 1, 2, 4, 9, 20."""
    hidden = torch.tensor([[[10.0], [1.0], [2.0], [4.0], [9.0], [20.0]]])
    hidden = torch.cat([hidden, -hidden], dim=-1)
    empty = torch.zeros(1, 6, dtype=torch.long)
    batch = Batch(
        input_ids=empty,
        attention_mask=empty,
        first_pieces=torch.tensor([[1, 2]]),
        word_of_piece=torch.tensor([[2, 0, 1, 1, 1, 2]]),
        words=torch.tensor([[True, True]]),
        tags=empty[:, :2],
        also=empty[:, :0],
    )
    return hidden, batch


def test_first_pieces_by_hand():
    assert first_pieces(*hand_made()).tolist() == [[[1.0, -1.0], [2.0, -2.0]]]


def test_mean_pieces_by_hand():
    hidden, batch = hand_made()
    means = word_means(hidden, batch.word_of_piece, batch.words.shape[1])
    assert means.tolist() == [[[1.0, -1.0], [5.0, -5.0]]]


def test_classifier_sees_first_pieces(tmp_path: Path):
    folder = toy_encoder(tmp_path / "toy", trained_toy_tokenizer(toy_text()), layers=1)
    tagger = load_tagger(folder, bio_tags(["LOC"])).eval()
    pieces = WordPieces((folder / "tokenizer.json").read_bytes())
    batch = collate([plain_sentence(["Barabara", "lähellä", "Kone"], pieces)], pieces)
    with torch.inference_mode():
        output = tagger(batch)
        expected = tagger.model.classifier(first_pieces(output.hidden[-1], batch))
    torch.testing.assert_close(output.logits, expected)
    assert output.logits.shape == (1, 3, 3)


def test_padding_changes_nothing(tmp_path: Path):
    folder = toy_encoder(tmp_path / "toy", trained_toy_tokenizer(toy_text()), kind="xlm-roberta")
    tagger = load_tagger(folder, bio_tags(["LOC"])).eval()
    pieces = WordPieces((folder / "tokenizer.json").read_bytes())
    short = plain_sentence(["Amina"], pieces)
    long = plain_sentence(["Barabara", "ilifungwa", "usiku", "kucha"], pieces)
    with torch.inference_mode():
        alone, padded = tagger(collate([short], pieces)), tagger(collate([long, short], pieces))
    torch.testing.assert_close(padded.logits[1, :1], alone.logits[0])


@pytest.mark.parametrize(("kind", "offset"), [("bert", 0), ("xlm-roberta", 2)])
def test_positions(tmp_path: Path, kind: str, offset: int):
    folder = toy_encoder(tmp_path / "toy", trained_toy_tokenizer(toy_text()), kind=kind, layers=1)
    tagger = load_tagger(folder, bio_tags(["LOC"]))
    assert position_offset(tagger.model) == offset
    assert tagger.max_pieces == 96


def test_saved_tagger_says_its_tags(trained: Trained):
    tagger = load_tagger(trained.teacher)
    assert tagger.labels == ("DATE", "LOC", "ORG", "PER")
    assert tagger.tags == bio_tags(tagger.labels)


def test_a_tagger_with_other_labels_is_an_encoder(trained: Trained):
    before, after = load_tagger(trained.teacher), load_tagger(trained.teacher, bio_tags(["LOC"]))
    assert after.model.classifier.weight.shape == (3, 32)
    for name, weight in before.model.base_model.named_parameters():
        assert torch.equal(weight, after.model.base_model.get_parameter(name))


def test_encoder_is_no_tagger(trained: Trained):
    with pytest.raises(OpticalError, match=r"E414.*encoder is neither a teacher nor a student"):
        load_tagger(trained.config.paths.encoder)


def test_a_tagger_of_mean_pieces_is_refused(tmp_path: Path, trained: Trained):
    shutil.copytree(trained.teacher, tmp_path / "teacher")
    path = tmp_path / "teacher" / "config.json"
    config = json.loads(path.read_text(encoding="utf8"))
    path.write_text(json.dumps({**config, "word_pooling": "mean"}), encoding="utf8")
    with pytest.raises(OpticalError, match=r"E501.*teacher uses the mean"):
        load_tagger(tmp_path / "teacher")


def test_teacher_with_another_tokenizer(tmp_path: Path, trained: Trained):
    folder = tmp_path / "teacher"
    shutil.copytree(trained.teacher, folder)
    more = json.loads((folder / "tokenizer.json").read_text())
    more["model"]["vocab"] += [[f"▁foreign{i}", -9.0] for i in range(10)]
    (folder / "tokenizer.json").write_text(json.dumps(more))
    with pytest.raises(OpticalError, match=r"E704.*do not belong together"):
        load_tagger(folder)


def test_dropout_off_makes_training_mode_repeatable(trained: Trained):
    tagger = load_tagger(trained.teacher).train()
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    batch = collate([plain_sentence(["Amina", "lives", "here"], pieces)], pieces)
    tagger.set_dropout(0.5)
    assert not torch.equal(tagger(batch).logits, tagger(batch).logits)
    tagger.set_dropout(0.0)
    assert torch.equal(tagger(batch).logits, tagger(batch).logits)
