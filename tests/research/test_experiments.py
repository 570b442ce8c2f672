"""The commands of the experiments in project.yml, on toy data."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from weasel.util import load_project_config

from research.__main__ import app
from research.arm_evaluation import evaluate_arm
from research.arm_metrics import read_arm
from research.arm_table import make_arm_table, read_folder
from research.arms import run_arms
from spacy_optical.cli import optical_cli
from spacy_optical.data.bitext import read_bitext
from spacy_optical.data.docs import EVALUATION_ONLY, read_docs
from spacy_optical.distill import distillation
from spacy_optical.distill.tagger_evaluation import scores_of
from spacy_optical.errors import OpticalError
from spacy_optical.export.model_scores import evaluate_model
from spacy_optical.files import sha256
from spacy_optical.runtime.bundle import Bundle
from spacy_optical.runtime.session import Runtime

from ..toy_project import toy_groups
from .toy_experiments import conll, plain, toy_experiments

ROOT = Path(__file__).parent.parent.parent
STEPS = ("fetch", "corpus", "teacher", "plans", "arms", "table")


def run(line: str) -> Result:
    program, *arguments = shlex.split(line.removeprefix("python -m ").removeprefix("spacy "))
    return CliRunner().invoke({"optical": optical_cli, "research": app}[program], arguments)


def scripts(**variables: str) -> dict[str, list[str]]:
    """The commands of the experiments, with the variables that weasel fills in."""
    shutil.copy(ROOT / "project.yml", ".")
    overrides = {f"vars.{name}": value for name, value in variables.items()}
    config = load_project_config(Path.cwd(), overrides=overrides)
    commands = {command["name"]: command["script"] for command in config["commands"]}
    assert config["workflows"]["experiments"][1:] == [f"experiments-{step}" for step in STEPS]
    return {step: commands[f"experiments-{step}"] for step in STEPS}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the workflow has run once, with all arms."""
    folder = tmp_path_factory.mktemp("experiments")
    toy_experiments(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        told = []
        for lines in scripts(mirror="mirror", pairs="0", arms="all", seeds="").values():
            for line in lines:
                result = run(line)
                assert result.exit_code == 0, result.output
                told.append(result.output)
    (folder / "told.txt").write_text("".join(told), encoding="utf8")
    return folder


@pytest.fixture
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    return project


def test_self_training_corpus_has_the_translations_on_both_sides(inside: Path):
    line = "python -m research self-corpus data/experiments/corpus self --languages sw"
    result = run(line)
    assert result.exit_code == 0, result.output
    pairs, expected = (
        list(read_bitext(folder / "bitext/sw.jsonl", source_lang="en", target_lang="sw"))
        for folder in (Path("self"), Path("data/experiments/corpus"))
    )
    assert [pair.target for pair in pairs] == [pair.target for pair in expected]
    assert all(pair.source == pair.target for pair in pairs)
    assert run(line.replace("self ", "mirror ")).exit_code == 1  # another kind of folder


def test_some_labels_and_languages_are_scored(inside: Path):
    model, gold = Path("training/experiments/teacher"), Path("data/experiments/corpus/gold")
    path = {"sw": gold / "sw-test.spacy"}
    every, some = evaluate_arm(model, path)["sw"], evaluate_arm(model, path, ["PER"])["sw"]
    assert set(some.types) <= {"PER"} < set(every.types)
    assert some.f1 == some.types.get("PER", 0.0) == every.types.get("PER", 0.0)
    config = Path("some.cfg")
    text = Path("research/configs/experiments.cfg").read_text(encoding="utf8")
    config.write_text(text.replace("[experiments]", '[experiments]\nlanguages = ["sw"]'), "utf8")
    run_arms(config, model, Path("some"), Path("some-metrics"), names=["teacher"])
    (written,) = Path("some-metrics").glob("*.json")
    assert list(read_arm(written).languages) == ["sw"]


def test_every_arm_and_seed_has_its_file_and_its_row(project: Path):
    names = sorted(path.name for path in (project / "metrics/experiments").glob("*.json"))
    assert names == [
        "adapted-seed0.json",
        "from-adapted-seed0.json",
        "ot-both-seed0.json",
        "pooled-seed0.json",
        "target-soft-seed0.json",
        "target-soft-seed1.json",
        "teacher-seed3.json",
    ]
    table = (project / "metrics/experiments/table.md").read_text(encoding="utf8")
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    rows = [line.split(" | ") for line in lines if not line.startswith("| ---")]
    assert [row[0].strip("| ") for row in rows] == ["", "0", "11", "3", "4c", "7", "A"]
    assert rows[0][4:6] == ["Swahili", "Finnish (no bitext)"]
    assert rows[3][2] == "2"


def test_corpus_has_the_sentences_of_the_files(project: Path):
    corpus = project / "data/experiments/corpus"
    record = json.loads((corpus / "corpus.json").read_text(encoding="utf8"))
    swahili = record["languages"]["sw"]
    assert swahili["left_out"] == {"duplicate": 3, "in_gold": 2}
    assert swahili["pairs"] == 24
    assert (swahili["test"], swahili["dev"], swahili["dev_in_test"]) == (12, 4, 1)
    assert record["source"]["dev"] == 8
    assert record["source"]["train"] == 35
    pairs = list(read_bitext(corpus / "bitext/sw.jsonl", target_lang="sw"))
    tests = {" ".join(t.text for t in doc) for doc in read_docs(corpus / "gold/sw-test.spacy")}
    assert len(pairs) == 24
    assert not {re.sub(r"([.,])", r" \1", pair.target) for pair in pairs} & tests
    assert not (corpus / "bitext/fi.jsonl").exists()


def test_gold_keeps_its_words_and_is_for_evaluation_only(project: Path):
    gold = project / "data/experiments/corpus/gold"
    docs = [doc for name in ("sw-test", "fi-test") for doc in read_docs(gold / f"{name}.spacy")]
    assert all(doc.user_data[EVALUATION_ONLY] for doc in docs)
    labels = {entity.label_ for doc in docs for entity in doc.ents}
    assert labels == {"PER", "ORG", "LOC"}
    assert any("." in [token.text for token in doc] for doc in docs)


def test_counts_add_up_to_spacys_f1(project: Path):
    corpus = project / "data/experiments/corpus"
    teacher = project / "training/experiments/teacher"
    gold = {code: corpus / f"gold/{code}-test.spacy" for code in ("sw", "fi")}
    scores = evaluate_model(teacher, gold)
    expected = {language: row["ents_f"] for language, row in scores.items()}
    table = make_arm_table(read_folder(project / "metrics/experiments"))
    row = next(row for row in table.rows if row.name == "teacher")
    assert row.languages == pytest.approx(expected)
    assert row.macro.value == pytest.approx(expected["sw"])


def test_students_are_evaluated_as_bundles(project: Path):
    found = read_arm(project / "metrics/experiments/ot-both-seed0.json")
    bundle = next(project.glob("training/experiments/arms/ot-both-seed0-*-auto"))
    assert found.preset == "auto"
    size = sum(path.stat().st_size for path in bundle.iterdir())
    assert found.megabytes == pytest.approx(size / 1e6)
    runtime = Runtime(Bundle.from_disk(bundle))
    docs = read_docs(project / "data/experiments/corpus/gold/sw-test.spacy")
    scores = runtime.scores([[token.text for token in doc] for doc in docs])
    assert found.languages["sw"].f1 == scores_of(docs, scores, runtime.tags)["ents_f"]


def test_an_arm_teaches_another_and_aligns_its_pairs(project: Path):
    arms = project / "training/experiments/arms"
    adapted = next(path for path in arms.glob("adapted-seed0-*"))
    hashes = read_arm(project / "metrics/experiments/from-adapted-seed0.json").provenance["data"]
    assert hashes[f"{adapted.name}/model.safetensors"] == sha256(adapted / "model.safetensors")
    assert not any(name.startswith(("teacher/", "encoder/")) for name in hashes)
    assert read_arm(project / "metrics/experiments/adapted-seed0.json").megabytes is None


def test_arms_share_plans_unless_they_align_otherwise(project: Path):
    folders = sorted(path.name for path in (project / "training/experiments").glob("plans*"))
    # Beside the shared ones: by mean vectors, for another middle layer, from another teacher.
    assert len(folders) == 4
    assert folders[0] == "plans"


def test_finished_runs_are_kept(inside: Path):
    files = [*inside.glob("metrics/experiments/*.json"), inside / "training/experiments/plans"]
    before = {path: path.stat().st_mtime_ns for path in files}
    lines = scripts(mirror="mirror", pairs="0", arms="all", seeds="")
    for step in ("fetch", "plans", "arms"):
        result = run(lines[step][0])
        assert result.exit_code == 0, result.output
    assert result.output.count("Done already") == 7
    assert {path: path.stat().st_mtime_ns for path in files} == before


def test_a_lost_metrics_file_comes_back_as_it_was(inside: Path):
    path = inside / "metrics/experiments/ot-both-seed0.json"
    before = path.read_bytes()
    path.unlink()
    line = scripts(arms="ot-both", seeds="0")["arms"][0]
    assert run(line).exit_code == 0
    assert path.read_bytes() == before


def test_a_stopped_student_is_continued_to_the_same_result(
    inside: Path, monkeypatch: pytest.MonkeyPatch
):
    path = inside / "metrics/experiments/target-soft-seed0.json"
    before = json.loads(path.read_bytes())
    path.unlink()
    for made in list(inside.glob("training/experiments/arms/target-soft-seed0-*")):
        shutil.rmtree(made)  # the student and its bundle

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    line = scripts(arms="target-soft", seeds="0")["arms"][0]
    with monkeypatch.context() as patch:
        patch.setattr(distillation, "save_tagger", killed)
        assert run(line).exit_code == 1
    assert not path.exists()
    result = run(line)
    assert "Continuing after epoch 1 of 1" in result.output
    assert json.loads(path.read_bytes())["languages"] == before["languages"]


@pytest.mark.parametrize(
    ("step", "variables", "change", "said"),
    [
        ("arms", {"arms": "nonsense"}, str, "has no arm 'nonsense'"),
        ("arms", {"seeds": "one"}, str, "E114"),
        ("fetch", {"mirror": "nowhere"}, str, "No such mirror folder"),
        ("fetch", {}, lambda t: t.replace("[languages.sw", "[languages.SW"),
         "a language is named by its code"),
        ("fetch", {}, lambda t: t.replace("sha256=", "md5="), "unknown 'md5' after #"),
        ("fetch", {}, lambda t: re.sub(r"sha256=[0-9a-f]{6}", "sha256=000000", t), "SHA-256"),
        ("corpus", {}, lambda t: t.replace('labels = {"DATE": ""}', ""), "has the label 'DATE'"),
        ("corpus", {}, lambda t: t.replace('"BNED": ""', '"X": ""'), "the tag 'BNED'"),
        ("corpus", {}, lambda t: t.replace('"swa"]', '"kiswahili"]'), "'kiswahili'"),
        ("corpus", {}, lambda t: t.replace("dev_sentences", "dev_sentence"), "dev_sentence'"),
        ("corpus", {}, lambda t: t.replace("test = [", "tests = ["), "tests' is wrong"),
        ("arms", {}, lambda t: t.replace('"adapted"\n\n[t', '"later"\n\n[t'), "not an arm above"),
        ("arms", {}, lambda t: t.replace('preset = ""', 'preset = "int3"'), "int3"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(
    inside: Path,
    tmp_path: Path,
    step: str,
    variables: dict[str, str],
    change: Callable[[str], str],
    said: str,
):
    config = tmp_path / "changed.cfg"
    text = (inside / "research/configs/experiments.cfg").read_text(encoding="utf8")
    config.write_text(change(text), encoding="utf8")
    filled = {
        "mirror": "mirror",
        "experiments": str(config),
        "arms": "all",
        "seeds": "",
        **variables,
    }
    result = run(scripts(**filled | variables)[step][0])
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    message = " ".join(result.output.rpartition("✘")[2].split())
    assert said in re.sub(r"\x1b\[[0-9;]*m", "", message)


def test_runs_on_different_gold_are_not_compared(project: Path):
    runs = read_folder(project / "metrics/experiments")
    other = {"sw": runs[1].languages["sw"].model_copy(update={"gold": "another"})}
    changed = runs[1].model_copy(update={"languages": runs[1].languages | other})
    with pytest.raises(OpticalError, match=r"E631.*sw differs"):
        make_arm_table([runs[0], changed, *runs[2:]])


NEW = """
[languages.xx-new]
name = "New"
test = ["words/new.conll"]
labels = {"DATE": ""}

[languages.xx-new.bitext.mine]
files = ["words/new.tsv"]
"""


def test_a_language_is_added_in_the_config_and_the_teacher_is_kept(inside: Path):
    words = inside / "words"
    words.mkdir()
    groups = toy_groups()
    (words / "new.conll").write_text(conll([g["fi"] for g in groups[24:36]]), encoding="utf8")
    pairs = [f"{plain(g['en'])}\t{plain(g['fi'])}\n" for g in groups[:24]]
    (words / "new.tsv").write_text("".join(pairs), encoding="utf8")
    text = (inside / "research/configs/experiments.cfg").read_text(encoding="utf8")
    config = inside / "more.cfg"
    head, mark, tail = text.partition("[experiments]")
    config.write_text(head + NEW + mark + tail, encoding="utf8")
    lines = scripts(mirror="mirror", experiments=str(config), pairs="20", arms="ot-both")
    told = {step: run(lines[step][0]) for step in STEPS}
    assert all(result.exit_code == 0 for result in told.values()), told["arms"].output
    assert "teacher was made from the same already" in told["teacher"].output
    found = read_arm(inside / "metrics/experiments/ot-both-seed0.json")
    assert found.bitext == ["sw", "xx-new"]
    assert found.languages.keys() == {"sw", "fi", "xx-new"}
    told_of_others = " ".join(told["table"].output.split())
    assert "other steps than target-soft-seed0" in told_of_others
    assert "ot-both-seed0." in told_of_others
    record = json.loads((inside / "data/experiments/corpus/corpus.json").read_text(encoding="utf8"))
    assert record["languages"]["xx-new"]["tokenizer"] == "xx"
    assert record["languages"]["sw"]["left_out"]["not_drawn"] == 4
