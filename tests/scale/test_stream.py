"""`annotate` on this machine: rows, bad input, and runs that were ended from outside."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

pa = pytest.importorskip("pyarrow", reason='needs pyarrow: pip install "spacy_optical[scale]"')
pq = pytest.importorskip("pyarrow.parquet")

from spacy_optical import annotate  # noqa: E402
from spacy_optical.errors import OpticalError  # noqa: E402
from spacy_optical.scale import annotator  # noqa: E402
from spacy_optical.scale.text_parts import Text  # noqa: E402

from ..command_line import run, told  # noqa: E402

TEXTS = [
    "Amina Juma anaishi Nairobi.",
    "Hakuna jina hapa.",
    "Waziri Amina Juma alitembelea Mbeya.",
    "Angela Merkel besuchte Berlin und Hamburg.",
]
COLUMNS = ["id", "start", "end", "label", "text", "score", "error"]


def rows(out: Path) -> list[dict]:
    return pq.read_table(out).to_pylist()


def texts_of(count: int) -> list[str]:
    return [f"{TEXTS[i % len(TEXTS)]} Neno {i}." for i in range(count)]


def parquet(path: Path, texts: list, ids: list | None = None, **settings: int) -> Path:
    table = pa.table({"id": list(range(len(texts))) if ids is None else ids, "text": texts})
    pq.write_table(table, path, **settings)
    return path


def expected(texts: list[str]) -> list[tuple]:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner")
    return [
        (i, ent.start_char, ent.end_char, ent.label_, ent.text)
        for i, doc in enumerate(nlp.pipe(texts))
        for ent in doc.ents
    ]


def test_rows_are_the_entities_of_the_pipeline_in_order(tmp_path: Path):
    texts = texts_of(23)
    source = parquet(tmp_path / "texts.parquet", texts, row_group_size=7)
    written = annotate(source, tmp_path / "out", part_size=5)
    found = rows(tmp_path / "out")
    assert [tuple(row[name] for name in COLUMNS[:5]) for row in found] == expected(texts)
    assert all(0 < row["score"] <= 1 and row["error"] is None for row in found)
    assert list(found[0]) == COLUMNS
    assert written == (23, len(found), 0, None)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["_run.json", *(f"part-00000{i}.parquet" for i in range(5))]


@pytest.mark.parametrize("kind", ["jsonl", "txt", "folder"])
def test_other_kinds_give_the_same_rows(tmp_path: Path, kind: str):
    texts = texts_of(9)
    names = [f"t{i}" for i in range(9)]
    lines = [json.dumps({"key": key, "said": text}) for key, text in zip(names, texts, strict=True)]
    if kind == "txt":
        source = tmp_path / "texts.txt"
        source.write_text("\n\n".join(texts), encoding="utf8")
        names = [f"texts.txt:{2 * i + 1}" for i in range(9)]
    elif kind == "jsonl":
        source = tmp_path / "texts.jsonl"
        source.write_text("\n".join([*lines, "", ""]), encoding="utf8")
    else:
        source = tmp_path / "texts"
        (source / "more").mkdir(parents=True)
        (source / "a.jsonl").write_text("\n".join(lines[:4]), encoding="utf8")
        (source / "more" / "b.jsonl").write_text("\n".join(lines[4:]) + "\n", encoding="utf8")
        (source / "_notes.jsonl").write_text("no text", encoding="utf8")
    annotate(source, tmp_path / "out", text_column="said", id_column="key", part_size=4)
    found = [tuple(row[name] for name in COLUMNS[:5]) for row in rows(tmp_path / "out")]
    assert found == [(names[i], *entity) for i, *entity in expected(texts)]


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path):
    line = json.dumps({"id": "a", "text": TEXTS[0]})
    for name, content in (("texts.txt", TEXTS[0]), ("texts.jsonl", line)):
        (tmp_path / name).write_text(content, encoding="utf-8-sig")
        annotate(tmp_path / name, tmp_path / f"out-{name}", id_column="id")
        found = [tuple(row[key] for key in COLUMNS[1:5]) for row in rows(tmp_path / f"out-{name}")]
        assert found == [entity[1:] for entity in expected(TEXTS[:1])]


def saved_pipeline(folder: Path, **config: object) -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config=config)
    nlp.to_disk(folder)


def test_a_pipeline_that_was_written_anew_is_loaded_anew(tmp_path: Path):
    source = parquet(tmp_path / "texts.parquet", TEXTS)
    for name, label in (("a", "PER"), ("b", "PERSON")):
        saved_pipeline(tmp_path / "pipe", label_map={"PER": label})
        annotate(source, tmp_path / name, model=tmp_path / "pipe")
        assert label in {row["label"] for row in rows(tmp_path / name)}


def test_what_an_earlier_run_wrote_is_no_input(tmp_path: Path):
    data = tmp_path / "data"
    data.mkdir()
    parquet(data / "texts.parquet", TEXTS)
    first = annotate(data, data / "entities-1")
    assert annotate(data, data / "entities-2") == first
    assert rows(data / "entities-2") == rows(data / "entities-1")


def test_a_link_is_read_under_its_own_name(tmp_path: Path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "1f3a").write_text("\n".join(TEXTS), encoding="utf8")
    (tmp_path / "texts.txt").symlink_to(tmp_path / "blobs" / "1f3a")
    annotate(tmp_path / "texts.txt", tmp_path / "out")
    assert rows(tmp_path / "out")[0]["id"] == "texts.txt:1"


def test_the_name_of_a_model_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "md").mkdir()
    monkeypatch.chdir(tmp_path)
    source = parquet(tmp_path / "texts.parquet", TEXTS)
    assert annotate(source, tmp_path / "out", model="md").rows
    with pytest.raises(OpticalError, match="E318"):
        annotate(source, tmp_path / "other", model=Path("md"))


def test_processes_write_the_same_files(tmp_path: Path):
    source = parquet(tmp_path / "texts.parquet", texts_of(12))
    shares = []
    for n, folder in ((1, "one"), (2, "two")):
        written = annotate(
            source,
            tmp_path / folder,
            part_size=4,
            n_process=n,
            progress=lambda so_far, share: shares.append((so_far.texts, round(share, 2))),
        )
        assert written.texts == 12
    assert shares == [(4, 0.33), (8, 0.67), (12, 1.0)] * 2
    for path in (tmp_path / "one").glob("*"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_text_that_fails_is_a_row_that_says_why(tmp_path: Path):
    lines = [
        b'{"id": 1, "text": "Amina Juma"}',
        b'{"id": 2, "text": null}',
        b'{"id": null, "text": "Amina Juma"}',
        b'{"id": 4, "text": "Amina',
        b'{"id": 5, "text": 5}',
        b'["Amina Juma"]',
        b'{"id": 7, "text": "Amina Juma \\ud800"}',
        b'{"id": "\\ud800", "text": "' + b"Amina " * 200_000 + b'"}',
        b'{"id": 9, "text": "\xff"}',
        b'{"id": 10, "text": "Amina Juma"}',
    ]
    (tmp_path / "texts.jsonl").write_bytes(b"\n".join(lines))
    written = annotate(tmp_path / "texts.jsonl", tmp_path / "out")
    found = rows(tmp_path / "out")
    assert (written.texts, written.failed) == (10, 8)
    assert [row["id"] for row in found if row["error"] is None] == ["1", "10"]
    failed = [(row["id"], row["error"]) for row in found if row["error"]]
    assert all(row["text"] is row["start"] is row["score"] is None for row in found if row["error"])
    assert failed[:5] == [
        ("2", "the text is null"),
        (None, "the id is null in texts.jsonl:3"),
        (None, "texts.jsonl:4 is not a JSON object"),
        ("5", "the text is a int, not a string"),
        (None, "texts.jsonl:6 is not a JSON object"),
    ]
    assert failed[5][0] == "7"
    assert "Unicode" in failed[5][1]
    assert failed[6][0] == "\\ud800"
    assert "[E088]" in failed[6][1]
    assert failed[7] == (None, "texts.jsonl:9 is not a JSON object")


def test_nulls_of_parquet_and_of_an_empty_file(tmp_path: Path):
    source = tmp_path / "texts"
    source.mkdir()
    parquet(source / "a.parquet", ["Amina Juma", None, "Amina Juma"], [1, 2, None])
    pq.write_table(pq.read_table(source / "a.parquet").slice(0, 0), source / "b.parquet")
    assert annotate(source, tmp_path / "out") == (3, 3, 2, None)
    errors = [(row["id"], row["error"]) for row in rows(tmp_path / "out")]
    assert errors == [(1, None), (2, "the text is null"), (None, "the id is null")]


def test_another_score_of_an_application_is_left_out(tmp_path: Path):
    nlp = spacy.blank("xx")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Amina"}])
    nlp.to_disk(tmp_path / "pipeline")
    source = parquet(tmp_path / "texts.parquet", TEXTS)
    Span.set_extension("score", default="good", force=True)
    try:
        annotate(source, tmp_path / "out", model=tmp_path / "pipeline")
    finally:
        Span.remove_extension("score")
    assert {(row["text"], row["score"]) for row in rows(tmp_path / "out")} == {("Amina", None)}


@Language.component("toy_no_mbeya")
def toy_no_mbeya(doc: Doc) -> Doc:
    if "Mbeya" in doc.text:
        raise ValueError("no Mbeya, please")
    return doc


def test_a_component_that_fails_on_one_text_reads_the_others(tmp_path: Path):
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner")
    nlp.add_pipe("toy_no_mbeya")
    nlp.to_disk(tmp_path / "pipeline")
    source = parquet(tmp_path / "texts.parquet", TEXTS)
    written = annotate(source, tmp_path / "out", model=tmp_path / "pipeline")
    assert written.failed == 1
    found = rows(tmp_path / "out")
    assert [(row["id"], row["error"]) for row in found if row["error"]] == [
        (2, "ValueError: no Mbeya, please")
    ]
    whole = [tuple(row[name] for name in COLUMNS[:5]) for row in found if not row["error"]]
    assert whole == [row for row in expected(TEXTS) if row[0] != 2]


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("missing.parquet", [], "[E002] No such file or folder"),
        ("texts.csv", [], "[E812]"),
        ("empty", [], "[E812]"),
        ("mixed", [], "[E801]"),
        ("broken.parquet", [], "[E802]"),
        ("twice.parquet", [], "several columns are named 'text'"),
        ("texts.parquet", ["--text-column", "body"], "[E803]"),
        ("texts.parquet", ["--id-column", "key"], "only id, text. Set the column with --id-column"),
        (
            "texts.jsonl",
            ["--text-column", "body"],
            "only id, text. Set the column with --text-column",
        ),
        ("numbers.parquet", [], "[E804]"),
        ("types", [], "[E804]"),
        ("texts.parquet", ["--model", "no_such_pipeline"], "[E318]"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    tmp_path: Path, name: str, options: list[str], sentence: str
):
    good = parquet(tmp_path / "texts.parquet", TEXTS).read_bytes()
    (tmp_path / "texts.csv").write_text("id,text\n")
    (tmp_path / "texts.jsonl").write_text('\n{"id": 1, "text": "Amina"}\n')
    (tmp_path / "broken.parquet").write_bytes(good[: len(good) // 2])
    parquet(tmp_path / "numbers.parquet", [1, 2])
    twice = pa.table([["a"], ["Amina"], ["Juma"]], names=["id", "text", "text"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    for folder in ("empty", "mixed", "types"):
        (tmp_path / folder).mkdir()
    (tmp_path / "mixed" / "a.parquet").write_bytes(good)
    (tmp_path / "mixed" / "b.txt").write_text("Amina")
    parquet(tmp_path / "types" / "a.parquet", TEXTS)
    parquet(tmp_path / "types" / "b.parquet", TEXTS, ["a", "b", "c", "d"])
    result = run("annotate", tmp_path / name, tmp_path / "out", *options)
    assert sentence in told(result)
    assert not (tmp_path / "out").exists()


def test_a_key_that_one_line_lacks_is_an_error_of_its_row(tmp_path: Path):
    lines = [{"id": 1}, {"text": "Juma"}, {"id": 3, "text": TEXTS[0]}]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert annotate(tmp_path / "texts.jsonl", tmp_path / "out").failed == 2
    failed = [(row["id"], row["error"]) for row in rows(tmp_path / "out") if row["error"]]
    missing = "the id is missing in texts.jsonl:2"
    assert failed == [("1", "the text is missing"), (None, missing)]


def test_a_folder_is_not_its_own_output(tmp_path: Path):
    parquet(tmp_path / "texts.parquet", TEXTS)
    with pytest.raises(OpticalError, match="E010"):
        annotate(tmp_path, tmp_path)
    with pytest.raises(OpticalError, match=r"E114.*n_process must be a whole number .* not '2'"):
        annotate(tmp_path / "texts.parquet", tmp_path / "out", n_process="2")  # type: ignore[arg-type]


def test_a_file_that_breaks_half_way_keeps_the_parts_before(tmp_path: Path):
    source = parquet(tmp_path / "texts.parquet", texts_of(40), row_group_size=20)
    good = source.read_bytes()
    column = pq.read_metadata(source).row_group(1).column(1)
    at = column.dictionary_page_offset or column.data_page_offset
    source.write_bytes(good[:at] + b"\xff" * 20 + good[at + 20 :])
    result = run("annotate", source, tmp_path / "out", "--part-size", 20)
    assert "[E802]" in told(result)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_run.json",
        "part-000000.parquet",
    ]
    found = {row["id"] for row in rows(tmp_path / "out")}
    assert found == {row[0] for row in expected(texts_of(20))}
    source.write_bytes(good)  # now it is another input
    assert "[E806]" in told(run("annotate", source, tmp_path / "out", "--resume"))


def test_the_folder_of_another_run_is_refused_and_kept(tmp_path: Path):
    source = parquet(tmp_path / "texts.parquet", TEXTS)
    out = tmp_path / "out"
    assert run("annotate", source, out).exit_code == 0
    kept = {path: path.read_bytes() for path in out.iterdir()}
    other = parquet(tmp_path / "other.parquet", texts_of(3))
    bundle = tmp_path / "pipeline"
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"min_score": {"PER": 0.5}})
    nlp.to_disk(bundle)
    for arguments, sentence in [
        ((source, out), "[E807]"),
        ((other, out, "--resume"), "a run with another input"),
        ((source, out, "--resume", "--model", bundle), "a run with another model"),
        ((source, out, "--resume", "--part-size", 2), "a run with another part size"),
        ((source, out, "--resume", "--text-column", "id"), "[E804]"),
    ]:
        assert sentence in told(run("annotate", *arguments))
    parquet(source, [*TEXTS[:3], TEXTS[3].replace("Hamburg", "Bremen!")])
    assert "another input" in told(run("annotate", source, out, "--resume"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "[E004]" in told(run("annotate", source, tmp_path / "mine"))
    assert {path: path.read_bytes() for path in out.iterdir()} == kept


def test_the_command_says_what_it_wrote_and_what_failed(tmp_path: Path):
    source = parquet(tmp_path / "texts.parquet", TEXTS)
    result = run("annotate", source, tmp_path / "out", "--n-process", 2)
    assert result.exit_code == 0
    assert "of 4 texts in" in result.output
    assert run("annotate", source, tmp_path / "out", "--resume").exit_code == 0
    parquet(source, [*TEXTS, None])
    assert "[E811] 1 of 5 texts failed" in told(run("annotate", source, tmp_path / "out2"))
    assert len(rows(tmp_path / "out2")) == len(rows(tmp_path / "out")) + 1


@pytest.mark.skipif(os.name == "nt", reason="kills process groups")
@pytest.mark.parametrize("n_process", [1, 2])
def test_runs_that_are_killed_continue_without_a_row_lost_or_doubled(
    tmp_path: Path, n_process: int
):
    source = parquet(tmp_path / "texts.parquet", texts_of(200))
    annotate(source, tmp_path / "whole", part_size=5)
    command = [sys.executable, "-m", "spacy", "optical", "annotate", source, tmp_path / "out"]
    command += ["--part-size", "5", "--n-process", str(n_process), "--resume"]
    rng = random.Random(n_process)
    killed = 0
    for _ in range(2):
        process = subprocess.Popen(list(map(str, command)), start_new_session=True)
        while process.poll() is None and not list((tmp_path / "out").glob("part-*")):
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 0.5))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)  # its workers must end by themselves
            killed += 1
        process.wait()
    assert killed
    subprocess.run(list(map(str, command)), check=True)
    assert not list((tmp_path / "out").glob(".part-*"))
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()


def test_an_unknown_engine_is_refused(tmp_path: Path):
    with pytest.raises(OpticalError, match="E114"):
        annotate(tmp_path, tmp_path / "out", engine="flink")


def test_a_pipeline_that_has_seen_many_words_is_loaded_again(monkeypatch: pytest.MonkeyPatch):
    content = annotator.fingerprint("sm")
    first = annotator.load_pipeline("sm", content)
    texts = [Text(str(at), text) for at, text in enumerate(texts_of(40))]
    found = annotator.entity_rows(first, texts, pa.string())
    assert annotator.load_pipeline("sm", content) is first
    monkeypatch.setattr(annotator, "MOST_WORDS", len(first.vocab) - 1)
    second = annotator.load_pipeline("sm", content)
    assert second is not first
    assert annotator.entity_rows(second, texts, pa.string()).equals(found)


def test_a_pipeline_is_loaded_again_within_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source, loads = parquet(tmp_path / "texts.parquet", texts_of(12)), []
    annotate(source, tmp_path / "out", model="sm")
    load = annotator._loaded
    monkeypatch.setattr(annotator, "_loaded", lambda model: loads.append(model) or load(model))
    monkeypatch.setattr(annotator, "BATCH_TEXTS", 4)
    monkeypatch.setattr(annotator, "MOST_WORDS", 0)
    annotate(source, tmp_path / "again", model="sm")
    assert len(loads) > 3  # for each of three batches, and once to find the fingerprint
    assert rows(tmp_path / "again") == rows(tmp_path / "out")
