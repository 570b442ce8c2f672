import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import Span

from spacy_optical.data.docs import read_docs, write_docs
from spacy_optical.distill import teacher as teacher_module
from spacy_optical.runtime.bundle import Bundle

from ..command_line import run, told
from ..conftest import Trained
from ..toy_project import toy_data, toy_marked_corpus


@pytest.fixture
def work(tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with copies of what the trained project holds."""
    shutil.copytree(trained.config_path.parent, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "config.cfg"
    text = config.read_text(encoding="utf8")
    config.write_text(text.replace(f"{trained.config_path.parent}/", ""), encoding="utf8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


FEW = ["--epochs", 1, "--preset", "fp32"]


def test_whole_way(work: Path):
    toy_marked_corpus(work / "words")
    (work / "words.cfg").write_text(toy_data(work / "words"), encoding="utf8")
    quick = ["--teacher.epochs", 1, "--training.epochs", 1, "--paths.plans", "p2"]
    quick += ["--paths.corpus", "c2"]
    steps: list[tuple[list[Any], str]] = [
        (["corpus", "words.cfg", "c2", "--corpus.augment", 1], "Corpus in c2"),
        (["teach", "config.cfg", "t2", *quick], "Teacher in t2"),
        (["plans", "config.cfg", "t2", "--processes", 2, *quick], "Plans in p2"),
        (["distill", "config.cfg", "t2", "s2", *quick], "Student in s2"),
        (["evaluate", "s2", "m/s2.json", "-g", "sw=c2/gold/sw-test.spacy"], "m/s2.json"),
        (
            ["finetune", "s2", "c2/english/train.spacy", "c2/english/dev.spacy", "mine", *FEW],
            "Student, bundle and pipeline in mine",
        ),
        (["export", "s2", "b2", "--gold-folder", "c2/gold", "-p", "fp32"], "Bundle in b2"),
        (["assemble", "b2", "pipe", "--name", "toy"], "Pipeline in pipe"),
        (["reference", "t2", "ref"], "Pipeline in ref"),
        (["fetch-encoder", "e2", "--source", "encoder"], "Encoder in e2"),
    ]
    for arguments, expected in steps:
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        assert expected in result.output
    (row,) = json.loads((work / "m" / "s2.json").read_text(encoding="utf8"))
    assert row["name"] == "s2"
    assert set(row["f1"]) == {"sw"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("corpus nowhere.cfg c2", "[E002] No such config: nowhere.cfg"),
        ("corpus config.cfg c2 --corpus.augments 2", "'corpus.augments' is wrong"),
        ("corpus config.cfg c2 --corpus.labels PER", "'corpus.labels' is wrong"),
        ("corpus config.cfg c2 --data.source sw", "'sw' is the source language"),
        ("corpus config.cfg teacher", "[E004] teacher already exists"),
        ("teach none.cfg t2", "[E002] No such config: none.cfg"),
        ("teach config.cfg t2 --training.epoch 3", "'training.epoch' is wrong: Extra inputs"),
        ("teach config.cfg t2 --epochs 3", "[E007] No such option: --epochs"),
        ("teach config.cfg t2 stray", "Invalid config override 'stray'"),
        ("teach config.cfg t2 --teacher.epochs", "'teacher.epochs' is wrong: it has no value"),
        ("teach config.cfg t2 --teacher.epochs many", "'teacher.epochs' is wrong"),
        ("teach config.cfg t2 --paths.encoder nowhere", "config.json is missing"),
        ("teach config.cfg t2 --paths.corpus nowhere", "[E002] No such labelled file"),
        ("plans config.cfg encoder", "[E414] encoder is neither a teacher nor a student"),
        ("plans config.cfg nowhere", "[E414] nowhere is neither a teacher nor a student"),
        ("plans config.cfg teacher --data.languages ['xx']", "No bitext for language 'xx'"),
        ("distill config.cfg teacher s2 --plans.layer 2", "[E410] plans was made from other"),
        ("distill config.cfg student s2", "[E410]"),
        ("evaluate student m.json", "[E505]"),
        ("evaluate student m.json -g sw", "[E006] 'sw' is not of the form NAME=PATH"),
        ("evaluate student m.json -g sw=a.spacy -g sw=b.spacy", "[E008] 'sw' is given twice"),
        ("evaluate student m.json -g sw=none.spacy", "[E002] No such labelled file: none.spacy"),
        ("evaluate nowhere m.json -g sw=corpus/gold/sw-dev.spacy", "[E603]"),
        ("export student b2", "[E505]"),
        ("export student b2 --gold-folder corpus/gold -p int3", "[E502] Unknown preset 'int3'"),
        (
            "export student b2 --gold-folder corpus/gold --max-f1-loss -100",
            "[E504] b2 did not",
        ),
        ("export student corpus --gold-folder corpus/gold", "[E004] corpus already exists"),
        ("assemble nowhere pipe", "[E002] No such bundle folder: nowhere"),
        ("export nowhere b2 --gold-folder corpus/gold", "[E414] nowhere is neither"),
        ("reference nowhere ref", "[E414]"),
        (
            "finetune nowhere corpus/english/train.spacy corpus/english/dev.spacy mine",
            "[E508] nowhere is neither",
        ),
        (
            "finetune student corpus/english/dev.spacy corpus/english/dev.spacy mine",
            "[E429] 8 of the 8 documents",
        ),
        (
            "finetune student corpus/english/train.spacy corpus/english/dev.spacy mine -m PER",
            "[E006] 'PER' is not of the form OLD=NEW",
        ),
        (
            "finetune student corpus/english/train.spacy corpus/english/dev.spacy mine --drop ORGS",
            "[E425] The label map names ORGS",
        ),
        (
            "finetune student corpus/english/train.spacy corpus/english/dev.spacy mine -l all",
            "[E402] finetune: 'labels' is wrong",
        ),
        ("fetch-encoder e2 --source nowhere", "[E701] 'nowhere' is neither"),
        ("fetch-encoder corpus --source encoder", "[E004] corpus already exists"),
    ],
)
def test_wrong_input(work: Path, arguments: str, expected: str):
    before = sorted(work.rglob("*"))
    assert expected in told(run(*arguments.replace("'", '"').split()))
    after = [path for path in work.rglob("*") if path not in before]
    assert after == []


def test_gold_does_not_teach(work: Path):
    shutil.copy("corpus/gold/sw-dev.spacy", "corpus/english/train.spacy")
    assert "[E207] corpus/english/train.spacy holds gold" in told(run("teach", "config.cfg", "t2"))


def test_unknown_label_in_gold(work: Path):
    docs = read_docs(work / "corpus" / "gold" / "sw-dev.spacy")
    docs[0].set_ents([Span(docs[0], 0, 1, label="ANIMAL")])
    write_docs(docs, work / "odd.spacy")
    for arguments in (("evaluate", "student", "m.json"), ("export", "student", "b2")):
        assert "[E411] The label 'ANIMAL' in odd.spacy" in told(
            run(*arguments, "-g", "sw=odd.spacy")
        )


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_truncated_weights(work: Path, kept: int):
    path = work / "student" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    message = told(run("export", "student", "b2", "--gold-folder", "corpus/gold"))
    assert "[E703] student/model.safetensors is damaged" in message


def test_damaged_bundle(work: Path):
    assert run("export", "student", "b2", "--gold-folder", "corpus/gold").exit_code == 0
    model = work / "b2" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    assert "model.onnx in the bundle b2" in told(run("assemble", "b2", "pipe"))
    assert not (work / "pipe").exists()


def test_forced_bundle(work: Path):
    strict = ("--max-f1-loss", -100, "--force")
    result = run("export", "student", "b2", "--gold-folder", "corpus/gold", *strict)
    assert result.exit_code == 0
    assert not Bundle.from_disk("b2").info.verified
    assert "[E506]" in told(run("assemble", "b2", "pipe"))


def test_interrupt_and_again(work: Path, monkeypatch: pytest.MonkeyPatch):
    """After Ctrl-C the same command goes on where it was."""
    score, calls = teacher_module.entity_scores, []

    def interrupted(*arguments: Any) -> dict:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return score(*arguments)

    monkeypatch.setattr(teacher_module, "entity_scores", interrupted)
    again = ("teach", "config.cfg", "t2", "--resume", "--teacher.epochs", 3)
    assert "[E005] Stopped by the user" in told(run(*again))
    assert not (work / "t2").exists()
    result = run(*again)
    assert result.exit_code == 0, result.output
    assert "Continuing after epoch 1 of 3" in result.output


def test_resume_with_another_config(work: Path, monkeypatch: pytest.MonkeyPatch):
    assert run("teach", "config.cfg", "t2", "--teacher.epochs", 1).exit_code == 0
    message = told(run("teach", "config.cfg", "t2", "--resume", "--teacher.epochs", 2))
    assert "[E403]" in message
    assert "Remove it" in message


def test_teacher_and_tokenizer_that_do_not_belong_together(work: Path):
    path = work / "teacher" / "tokenizer.json"
    spec = json.loads(path.read_text(encoding="utf8"))
    spec["model"]["vocab"] += [["▁foreign", -9.0]]
    path.write_text(json.dumps(spec), encoding="utf8")
    for arguments in (
        ("plans", "config.cfg", "teacher"),
        ("distill", "config.cfg", "teacher", "s2"),
        ("reference", "teacher", "ref"),
    ):
        assert "[E704] The tokenizer in teacher has" in told(run(*arguments))
    shutil.copy("student/tokenizer.json", path)  # with fewer pieces, so all of them have a row
    assert "[E709] The tokenizer in teacher is not" in told(run("plans", "config.cfg", "teacher"))


def test_encoder_of_another_architecture(work: Path):
    path = work / "encoder" / "config.json"
    config = json.loads(path.read_text(encoding="utf8"))
    path.write_text(json.dumps({**config, "model_type": "gpt2"}), encoding="utf8")
    expected = "[E708] encoder has a model of type 'gpt2'. Use an encoder of one of the types"
    assert expected in told(run("teach", "config.cfg", "t2"))
    assert expected in told(run("fetch-encoder", "e2", "--source", "encoder"))


@pytest.mark.parametrize(
    "arguments",
    [
        "corpus config.cfg c2",
        "plans config.cfg teacher --paths.plans p2",
        "export student b2 --gold-folder corpus/gold -p fp32",
        "evaluate student m.json -g sw=corpus/gold/sw-dev.spacy",
        "fetch-encoder e2 --source encoder",
        "teach config.cfg t2 --teacher.epochs 1",
        "distill config.cfg teacher s2 --training.epochs 1",
        "reference teacher ref",
    ],
)
def test_full_disk(work: Path, monkeypatch: pytest.MonkeyPatch, arguments: str):
    before = set(work.rglob("*"))
    move = os.replace

    def full_disk(source: Any, target: Any, **how: Any) -> None:
        if work in Path(target).absolute().parents:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        move(source, target, **how)

    monkeypatch.setattr(os, "replace", full_disk)
    message = told(run(*arguments.split()))
    assert "[E003] Could not write" in message
    assert "No space left on device" in message
    left = {path for path in work.rglob("*") if path.is_file()} - before
    # What plans had read so far is kept on purpose: the next run goes on from there.
    assert {path for path in left if path.parent.name != "p2-partial"} == set()


def test_as_a_process(work: Path):
    """Through spaCy's own command line: exit code 1, the sentence, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "optical", "teach", "none.cfg", "t2"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 1
    assert "[E002] No such config: none.cfg" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
