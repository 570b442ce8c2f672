import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy

pytest.importorskip("pyarrow", reason='needs pyarrow: pip install "spacy_optical[scale]"')

from spacy_optical import project_label_files, project_labels
from spacy_optical.errors import OpticalError
from spacy_optical.projection.labels import ProjectionSummary
from tests.util import toy_encoder, toy_tokenizer, without_positions

from ..command_line import run, told
from .test_engines import ENGINES

PAIRS = [
    ("Amina Juma left Nairobi.", "Nairobi Amina Juma kwa."),
    ("Amina Juma left Mombasa.", "Mombasa Amina Juma kwa."),
]
WORDS = ("Amina", "Juma", "Nairobi", "Mombasa", "kwa", ".")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    return without_positions(toy_encoder(folder, toy_tokenizer(WORDS), layers=1))


@pytest.fixture(scope="module")
def labeller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PER", "pattern": "Amina Juma"}])
    folder = tmp_path_factory.mktemp("labeller") / "pipeline"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def bitext(tmp_path: Path) -> Path:
    folder = tmp_path / "bitext"
    folder.mkdir()
    for code, pairs in (("sw", PAIRS), ("ha", PAIRS[:1]), ("so", PAIRS[1:])):
        lines = [json.dumps({"en": source, code: target}) for source, target in pairs]
        (folder / f"{code}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def settings(encoder: Path, labeller: Path) -> dict[str, Any]:
    return {"encoder": encoder, "labeller": labeller, "layers": (0,)}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_file_is_what_project_labels_writes(
    tmp_path: Path, bitext: Path, settings: dict[str, Any]
):
    told_of: list[tuple[int, int]] = []
    total = project_label_files(
        bitext, tmp_path / "out", say=lambda *counts: told_of.append(counts), **settings
    )
    assert (total.read, total.written, total.projected["PER"]) == (4, 4, 4)
    assert told_of == [(1, 3), (2, 3), (3, 3)]
    from spacy_optical.encoders.word_vectors import WordEncoder

    one = project_labels(
        bitext / "sw.jsonl",
        tmp_path / "sw.spacy",
        labeller=settings["labeller"],
        encoder=WordEncoder(settings["encoder"], 0),
    )
    written = contents(tmp_path / "out")
    assert written["sw.spacy"] == (tmp_path / "sw.spacy").read_bytes()
    assert json.loads(written["sw.json"]) == vars(one)
    assert set(written) == {
        "_run.json",
        *(f"{c}.{k}" for c in ("sw", "ha", "so") for k in ("json", "spacy")),
    }


def test_two_processes_write_the_same_files(tmp_path: Path, bitext: Path, settings: dict[str, Any]):
    project_label_files(bitext, tmp_path / "one", **settings)
    project_label_files(bitext, tmp_path / "two", n_process=2, **settings)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_run_continues_after_a_faulty_file(
    tmp_path: Path, bitext: Path, settings: dict[str, Any]
):
    good = (bitext / "sw.jsonl").read_text()
    (bitext / "sw.jsonl").write_text('{"en": "no translation"}\n')
    with pytest.raises(OpticalError, match=r"sw\.jsonl"):
        project_label_files(bitext, tmp_path / "out", **settings)
    before = contents(tmp_path / "out")
    assert set(before) == {"_run.json", "ha.spacy", "ha.json", "so.spacy", "so.json"}
    with pytest.raises(OpticalError, match="E807"):
        project_label_files(bitext, tmp_path / "out", **settings)
    (bitext / "sw.jsonl").write_text(good)
    with pytest.raises(OpticalError, match=r"E806.*another input"):
        project_label_files(bitext, tmp_path / "out", resume=True, **settings)
    assert contents(tmp_path / "out") == before


def test_finished_files_are_kept_and_counted(
    tmp_path: Path, bitext: Path, settings: dict[str, Any]
):
    settings |= {"on_error": "skip", "labels": {"PER": "PERSON"}}
    whole = project_label_files(bitext, tmp_path / "out", **settings)
    expected = contents(tmp_path / "out")
    for name in ("ha.json", "so.json", "so.spacy"):  # as after a kill
        (tmp_path / "out" / name).unlink()
    told_of: list[tuple[int, int]] = []
    again = project_label_files(
        bitext,
        tmp_path / "out",
        resume=True,
        say=lambda *counts: told_of.append(counts),
        **settings,
    )
    assert again == whole
    assert told_of == [(2, 3), (3, 3)]
    assert contents(tmp_path / "out") == expected


def test_other_settings_are_another_run(tmp_path: Path, bitext: Path, settings: dict[str, Any]):
    project_label_files(bitext, tmp_path / "out", **settings)
    with pytest.raises(OpticalError, match=r"E806.*another settings"):
        project_label_files(bitext, tmp_path / "out", resume=True, threshold=0.9, **settings)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda folder: [path.unlink() for path in folder.iterdir()], "E813"),
        (lambda folder: shutil.copy(folder / "sw.jsonl", folder / "sw.tsv"), "E814"),
        (lambda folder: (folder / "sw.jsonl").rename(folder / "Swahili.jsonl"), "E319"),
    ],
)
def test_unusable_folders_are_errors_before_anything_is_written(
    tmp_path: Path, bitext: Path, settings: dict[str, Any], change: Any, code: str
):
    change(bitext)
    with pytest.raises(OpticalError, match=code):
        project_label_files(bitext, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_summaries_add_up():
    first = ProjectionSummary(read=2, histogram=[1] * 10)
    second = ProjectionSummary(read=3, histogram=[2] * 10)
    first.projected.update({"PER": 1})
    second.projected.update({"PER": 2, "LOC": 1})
    both = first + second
    assert (both.read, both.histogram) == (5, [3] * 10)
    assert both.projected == {"PER": 3, "LOC": 1}


def command(bitext: Path, out: Path, settings: dict[str, Any]) -> list[object]:
    labeller, encoder = settings["labeller"], settings["encoder"]
    return [
        "project-labels",
        bitext,
        out,
        "--labeller",
        labeller,
        "--encoder",
        encoder,
        "--layer",
        0,
    ]


def test_the_command_takes_a_folder(tmp_path: Path, bitext: Path, settings: dict[str, Any]):
    result = run(*command(bitext, tmp_path / "out", settings))
    assert result.exit_code == 0, result.output
    assert "3 of 3 files" in result.output
    assert (tmp_path / "out" / "ha.spacy").is_file()


def test_the_command_needs_a_folder_for_an_engine(
    tmp_path: Path, bitext: Path, settings: dict[str, Any]
):
    arguments = command(bitext / "sw.jsonl", tmp_path / "out.spacy", settings)
    assert "[E815]" in told(run(*arguments, "--n-process", 2))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_writes_the_files_of_the_local_one(
    tmp_path: Path, bitext: Path, settings: dict[str, Any], engine: str
):
    project_label_files(bitext, tmp_path / "local", **settings)
    arguments = [*command(bitext, tmp_path / "out", settings), "--engine", engine, "-n", 2]
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "optical", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "local")
