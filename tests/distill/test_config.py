from pathlib import Path
from typing import Any

import pytest

from spacy_optical.distill.config import load_config
from spacy_optical.errors import OpticalError

from ..toy_project import CONFIG

ROOT = Path(__file__).parent.parent.parent
EXPERIMENTS = ROOT / "research" / "configs" / "experiments.cfg"
DATA = '[data]\nlanguages = ["sw", "fi"]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "toy.cfg"
    path.write_text(CONFIG.format(folder=tmp_path, data=DATA))
    return path


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_reads_and_fills(path: Path):
    config = load_config(path)
    assert config.seed == 3
    assert config.student.layers == [0, 2]
    assert config.objective.temperature == 1.0
    assert config.plans.align.solver == "partial"


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [
        ("objective", "own", "target_kd"),
        ("objective", "yields", "kd_discount"),
        ("training", "hide_words", "word_dropout"),
        ("training", "balance", "sampling_exponent"),
        ("plans", "carry", "projection"),
    ],
)
def test_old_keys_are_refused(path: Path, section: str, old: str, new: str):
    message = rf"E402.*'{section}' is wrong: the key '{old}' is called '{new}' now"
    with pytest.raises(OpticalError, match=message):
        load_config(path, {f"{section}.{old}": 0})


@pytest.mark.parametrize("key", ["teacher.pooling", "training.threads", "plans.align.null_mass"])
def test_removed_keys_are_refused(path: Path, key: str):
    section, _, name = key.rpartition(".")
    message = rf"E402.*'{section}' is wrong: the key '{name}' was removed.*; delete it"
    with pytest.raises(OpticalError, match=message):
        load_config(path, {key: 0})


@pytest.mark.parametrize("path", [*(ROOT / "configs").glob("*.cfg"), EXPERIMENTS], ids=str)
def test_configs_that_ship(path: Path):
    assert load_config(path).data.source == "en"


def test_languages_are_those_with_bitext():
    found = load_config(EXPERIMENTS).data.languages
    assert found == ["ha", "sw", "tl", "mr", "fi", "de"]
    for text in ("sw,ha", " sw, ha "):
        chosen = load_config(EXPERIMENTS, {"data.languages": text})
        assert chosen.data.languages == ["sw", "ha"]


def test_overrides(path: Path):
    config = load_config(path, {"training.epochs": 9, "objective.labels": 0.0, "general.seed": 5})
    assert (config.training.epochs, config.objective.labels, config.seed) == (9, 0.0, 5)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("epochs = 8", "epochs = 8\nepoch = 9", "teacher.epoch"),
        ("[plans]", "[plan]", "plan"),
        ("epochs = 8", 'epochs = "many"', "teacher.epochs"),
        ("epochs = 8", "epochs = 0", "teacher.epochs"),
        ("epochs = 8", "epochs = true", "teacher.epochs"),
        ("epochs = 8", "epochs = 1.5", "teacher.epochs"),
        ("hard = 1.0", "hard = -1.0", "objective.hard"),
        ("layers = [0, 2]", "layers = [0, -1]", "student.layers.1"),
        ("layers = [0, 2]", "layers = []", "student.layers"),
        ("layers = [0, 2]", "layers = [0, 2]\npool_after = -1", "student.pool_after"),
        ("layers = [0, 2]", "layers = [0, 2]\npool_after = 2", "student.pool_after"),
        ("layers = [0, 2]", 'layers = "all"', "student.layers"),
        ("layer = 1", 'layer = 1\nprojection = "letters"', "plans.projection"),
        ("layer = 1", "layer = 1\n[plans.align]\nsolver = 1", "plans.align.solver"),
        ("positions = 64", "positions = 32", "training"),
        ("seed = 3", "seed = -1", "seed"),
        ("seed = 3", "seed = 4294967296", "seed"),
        ("[training]", "[training]\nseed = -1", "training.seed"),
        ('"fi"]', '"sw"]', "data"),
        ('"fi"]', '"en"]', "data"),
    ],
)
def test_wrong_keys_and_types(path: Path, old: str, new: str, key: str):
    with pytest.raises(OpticalError, match=rf"E402.*toy\.cfg: '{key}' is wrong: ") as caught:
        load_config(changed(path, old, new))
    assert "\n" not in str(caught.value)


def test_objective_that_says_nothing(path: Path):
    off = {f"objective.{name}": 0.0 for name in ("target_kd", "hidden", "representation", "labels")}
    assert load_config(path, off).objective.hard == 1.0
    with pytest.raises(OpticalError, match=r"E402.*'training' is wrong: english is 0"):
        load_config(path, {**off, "training.english": 0.0})
    with pytest.raises(OpticalError, match=r"E402.*'objective' is wrong: all weights are 0"):
        load_config(path, {**off, "objective.hard": 0.0, "objective.soft": 0.0})


def test_missing_section(path: Path):
    text = path.read_text()
    path.write_text(text[: text.index("[training]")])
    with pytest.raises(OpticalError, match=r"E402.*'training' is wrong: Field required"):
        load_config(path)


@pytest.mark.parametrize(
    "text",
    [
        "seed = 1",
        "[general]\nseed = ${nowhere.seed}\n",
        "[general]\nseed = ${nowhere}\n",
        "[general\n",
        "[general]\nseed = 1\n[general]\nseed = 2\n",
        "[general]\nseed\n",
        "[a.b]\nc = 1\n",
        "[general]\n[general.@x]\n[general.@x.y\n",
    ],
)
def test_broken_files(path: Path, text: str):
    path.write_text(text)
    with pytest.raises(OpticalError, match=r"E40[12].*toy\.cfg") as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_not_utf8(path: Path):
    path.write_bytes(b"[general]\nseed = \xff\n")
    with pytest.raises(OpticalError, match="E401"):
        load_config(path)


@pytest.mark.parametrize(
    "overrides", [{"nowhere.epochs": 1}, {"training": 1}, {"general.seed.low": 1}]
)
def test_overrides_of_nothing(path: Path, overrides: dict[str, Any]):
    with pytest.raises(OpticalError, match=r"E40[12]"):
        load_config(path, overrides)


def test_override_of_a_default(path: Path):
    """A key that the file leaves to its default can be set too; a misspelt one cannot."""
    assert load_config(path, {"training.select": "last"}).training.select == "last"
    assert load_config(path, {"plans.align.null_price": 0.5}).plans.align.null_price == 0.5
    with pytest.raises(OpticalError, match=r"E402.*'training.selekt'"):
        load_config(path, {"training.selekt": "last"})


def test_missing_file(tmp_path: Path):
    with pytest.raises(OpticalError, match=r"E002\] No such config"):
        load_config(tmp_path / "none.cfg")


def test_fingerprint_follows_what_decides(path: Path):
    config = load_config(path)
    epochs = load_config(path, {"training.epochs": 9})
    moved = load_config(path, {"paths.plans": "elsewhere"})
    assert config.fingerprint() == moved.fingerprint() != epochs.fingerprint()
    assert config.fingerprint("teacher") == epochs.fingerprint("teacher")
    assert config.fingerprint("teacher") != load_config(path, {"teacher.epochs": 9}).fingerprint(
        "teacher"
    )
    assert config.fingerprint("teacher") != load_config(path, {"general.seed": 9}).fingerprint(
        "teacher"
    )
