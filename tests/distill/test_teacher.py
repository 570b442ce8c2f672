import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import DocBin

from spacy_optical.data.docs import read_docs, write_docs
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.distillation import distill
from spacy_optical.distill.teacher import teach
from spacy_optical.errors import OpticalError

from ..conftest import Trained


@pytest.fixture
def config(tmp_path: Path, trained: Trained) -> DistillConfig:
    """The toy config over a copy of the corpus that a test may change."""
    shutil.copytree(trained.corpus, tmp_path / "corpus")
    return load_config(
        trained.config_path, {"paths.corpus": str(tmp_path / "corpus"), "teacher.epochs": 1}
    )


def changed(config: DistillConfig, trained: Trained, **overrides: Any) -> DistillConfig:
    return load_config(trained.config_path, {"paths.corpus": str(config.paths.corpus), **overrides})


@pytest.mark.parametrize("name", ["train", "dev"])
def test_gold_of_a_target_language_does_not_teach(tmp_path: Path, config: DistillConfig, name: str):
    shutil.copy(
        config.paths.corpus / "gold" / "sw-dev.spacy",
        config.paths.corpus / "english" / f"{name}.spacy",
    )
    with pytest.raises(OpticalError, match=rf"E207.*{name}\.spacy"):
        teach(config, tmp_path / "teacher")
    assert not (tmp_path / "teacher").exists()


def test_gold_mixed_into_train_does_not_teach(tmp_path: Path, config: DistillConfig):
    path = config.paths.corpus / "english" / "train.spacy"
    gold = read_docs(config.paths.corpus / "gold" / "fi-test.spacy")
    write_docs([*read_docs(path), gold[0]], path)
    with pytest.raises(OpticalError, match="E207"):
        teach(config, tmp_path / "teacher")


@pytest.mark.parametrize("name", ["train", "dev"])
def test_gold_does_not_distil(tmp_path: Path, trained: Trained, config: DistillConfig, name: str):
    shutil.copy(
        config.paths.corpus / "gold" / "sw-dev.spacy",
        config.paths.corpus / "english" / f"{name}.spacy",
    )
    with pytest.raises(OpticalError, match=r"E207|E410"):
        distill(config, trained.teacher, tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_metrics_say_where_it_came_from(trained: Trained):
    for folder, stage, epochs in ((trained.teacher, "teacher", 8), (trained.student, "student", 4)):
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf8"))
        assert metrics["stage"] == stage
        assert metrics["seed"] == 3
        assert len(metrics["epochs"]) == epochs
        assert 1 <= metrics["kept_epoch"] <= epochs
        assert metrics["english_dev"]["ents_f"] > 0.9
        assert len(metrics["config_hash"]) == 16
        assert {"torch", "spacy", "spacy_optical", "python"} <= set(metrics["versions"])
        assert {"english/train.spacy", "english/dev.spacy", "encoder/model.safetensors"} <= set(
            metrics["data"]
        )
        assert str(folder.parent) not in json.dumps(metrics)
    assert set(metrics["epochs"][0]) == {
        "hard",
        "soft",
        "target_kd",
        "hidden",
        "repr",
        "labels",
        "dev_f1",
    }


def test_losses_fall(trained: Trained):
    metrics = json.loads((trained.student / "metrics.json").read_text(encoding="utf8"))
    first, last = metrics["epochs"][0], metrics["epochs"][-1]
    assert last["repr"] < 0.8 * first["repr"]
    assert last["labels"] < 0.8 * first["labels"]


def test_window_beyond_the_encoder(tmp_path: Path, trained: Trained, config: DistillConfig):
    wide = changed(config, trained, **{"teacher.max_pieces": 97})
    with pytest.raises(OpticalError, match=r"E413.*97 pieces exceeds the model's 96"):
        teach(wide, tmp_path / "teacher")


def test_window_that_no_sentence_fits(tmp_path: Path, trained: Trained, config: DistillConfig):
    with pytest.raises(OpticalError, match=r"E412.*English sentence.*window of 8"):
        teach(changed(config, trained, **{"teacher.max_pieces": 8}), tmp_path / "teacher")


def test_label_of_dev_that_train_lacks(tmp_path: Path, config: DistillConfig):
    path = config.paths.corpus / "english" / "dev.spacy"
    docs = read_docs(path)
    docs[0].set_ents([docs[0].char_span(0, len(docs[0][0]), label="ANIMAL")])
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    with pytest.raises(OpticalError, match=r"E411.*'ANIMAL' in .*dev\.spacy"):
        teach(config, tmp_path / "teacher")


def test_dev_without_entities(tmp_path: Path, config: DistillConfig):
    path = config.paths.corpus / "english" / "dev.spacy"
    docs = [doc for doc in read_docs(path)[:2]]
    for doc in docs:
        doc.set_ents([])
    write_docs(docs, path)
    assert teach(config, tmp_path / "teacher")["english_dev"]["ents_f"] == 0.0


@pytest.mark.parametrize("step", ["teach", "distill"])
def test_foreign_folder_is_refused_before_the_work(
    tmp_path: Path, trained: Trained, config: DistillConfig, step: str
):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("mine")
    said: list[str] = []
    learn = {
        "teach": partial(teach, config, out),
        "distill": partial(distill, trained.config, trained.teacher, out),
    }
    with pytest.raises(OpticalError, match=r"E004.*thesis"):
        learn[step](say=said.append)
    assert said == []
    assert [path.name for path in out.iterdir()] == ["chapter.txt"]


def test_missing_encoder(tmp_path: Path, trained: Trained, config: DistillConfig):
    missing = changed(config, trained, **{"paths.encoder": str(tmp_path / "none")})
    with pytest.raises(OpticalError, match=r"E702.*config\.json is missing"):
        teach(missing, tmp_path / "teacher")
