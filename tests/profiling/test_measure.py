from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from spacy.scorer import Scorer
from spacy.training import Example

from spacy_optical.data.docs import bare_doc, read_docs
from spacy_optical.errors import OpticalError
from spacy_optical.profiling import aggregation, memory
from spacy_optical.profiling.check import check_target
from spacy_optical.profiling.frame import report_frame
from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.process import Worker
from spacy_optical.profiling.schema import Estimate, ExtraRow, ProfileReport
from spacy_optical.profiling.workload import Target

from .conftest import HOLDS_MEMORY

QUICK = Options(seconds=0.05, rounds=2, starts=1, batch_sizes=(2,))

NEEDS_TORCH = """
import torch
from spacy.language import Language

@Language.component("needs_torch", assigns=["doc.ents"])
def needs_torch(doc):
    torch.zeros(1)
    return doc
"""


def test_each_pipeline_gets_all_figures(report: ProfileReport) -> None:
    assert report.complete
    assert [found.name for found in report.profiles] == ["ruler", "toy"]
    for found in report.profiles:
        assert found.latency is not None
        latency = found.latency
        assert 0 < latency.p50_ms.value <= latency.p90_ms.value
        assert latency.p90_ms.value <= latency.p95_ms.value <= latency.p99_ms.value
        assert len(latency.p50_ms.samples) == 2
        assert [rate.batch_size for rate in found.throughput] == [2, 8]
        assert found.start is not None
        assert found.disk is not None
        assert found.disk.mb > 0
        assert set(found.accuracy) == {"en", "sw"}
        # The counts of all documents give the figures.
        right, wrong, missed = found.accuracy["sw"].rows.sum(axis=0)
        f1 = 2 * right / (2 * right + wrong + missed)
        assert found.accuracy["sw"].f1.value == pytest.approx(f1)
        assert found.accuracy["sw"].rows.shape == (3, 3)
    assert report.settings.texts == 4
    assert report.settings.gold["sw"].entities == 6


def test_pipelines_that_need_no_torch_run_without_it(report: ProfileReport) -> None:
    assert {found.environment for found in report.profiles} == {"base"}
    # An import of torch alone takes more than this.
    assert all(found.memory.above_floor_mb.value < 60 for found in report.profiles if found.memory)


def test_macro_leaves_out_the_source_language(report: ProfileReport) -> None:
    for found in report.profiles:
        assert found.macro_f1 is not None
        assert found.macro_f1.value == pytest.approx(found.accuracy["sw"].f1.value)


def test_accuracy_equals_the_scorer_of_spacy(report: ProfileReport, places: Path) -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"model": str(places / "bundle")})
    docs = read_docs(places / "sw.spacy", nlp.vocab)
    examples = [Example(nlp(bare_doc(doc)), doc) for doc in docs]
    expected = Scorer.score_spans(examples, "ents")
    found = report.profiles[1].accuracy["sw"]
    assert found.precision.value == pytest.approx(expected["ents_p"])
    assert found.recall.value == pytest.approx(expected["ents_r"])
    assert found.f1.value == pytest.approx(expected["ents_f"])
    for label, scores in expected["ents_per_type"].items():
        assert found.by_type[label].f1 == pytest.approx(scores["f"])


def test_labels_are_mapped_and_others_left_out(report: ProfileReport) -> None:
    # By hand: Nairobi, Benki Kuu, Juni and one Juma are right; the other Juma is half a name and
    # so wrong; Amina Juma and Kisumu are missed; GREETING is not judged.
    found = report.profiles[0].accuracy["sw"]
    assert found.precision.value == pytest.approx(4 / 5)
    assert found.recall.value == pytest.approx(4 / 6)
    assert report.settings.labels == ["DATE", "LOC", "ORG", "PER"]


def test_pieces_are_counted_where_there_is_a_tokenizer(report: ProfileReport) -> None:
    ruler, toy = report.profiles
    assert ruler.pieces == {}
    assert toy.pieces["sw"].words == 15
    assert toy.pieces["sw"].pieces_per_word > 1
    assert 0 <= toy.pieces["sw"].unknown_share <= 1


def test_ratios_are_against_the_baseline(report: ProfileReport) -> None:
    ruler, toy = report.profiles
    assert ruler.ratios is not None
    assert ruler.ratios.p50 is not None
    assert ruler.ratios.p50.value == 1.0
    assert toy.ratios is not None
    assert toy.ratios.f1 is not None
    assert ruler.macro_f1 is not None
    assert toy.macro_f1 is not None
    assert toy.ratios.f1.value == pytest.approx(toy.macro_f1.value / ruler.macro_f1.value)
    assert toy.ratios.disk is not None
    assert ruler.disk is not None
    assert toy.disk is not None
    assert toy.ratios.disk == pytest.approx(ruler.disk.mb / toy.disk.mb)


def test_ctrl_c_keeps_what_there_is(places: Path, gold: dict[str, Path]) -> None:
    def stop_in_round_2(text: str) -> None:
        if text.startswith("Round 2"):
            raise KeyboardInterrupt

    target = Target.parse(str(places / "bundle"))
    report = profile([target], gold=gold, options=QUICK, say=stop_in_round_2)
    assert not report.complete
    assert any("stopped before its end" in warning for warning in report.warnings)
    (found,) = report.profiles
    assert found.latency is not None
    assert len(found.latency.p50_ms.samples) == 1
    assert found.accuracy


def test_ctrl_c_while_evaluating_keeps_only_a_complete_macro_f1(
    places: Path, gold: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[str] = []
    ask = Worker.ask

    def ask_three_times(self: Worker, do: str, **arguments: object) -> dict:
        scored.extend([do] if do == "score" else [])
        if len(scored) == 4:
            raise KeyboardInterrupt
        return ask(self, do, **arguments)

    monkeypatch.setattr(Worker, "ask", ask_three_times)
    targets = [Target.parse(f"{name}={places / 'bundle'}") for name in ("one", "two")]
    options = replace(QUICK, baseline="two")
    first, second = profile(targets, gold=gold, options=options).profiles
    assert first.macro_f1 is not None
    assert second.macro_f1 is None


def test_a_cost_of_zero_has_no_ratio(report: ProfileReport) -> None:
    ruler, toy = report.profiles
    assert ruler.memory is not None
    memory = ruler.memory.model_copy(update={"above_floor_mb": Estimate.certain(-1.0)})
    base = ruler.model_copy(update={"memory": memory})
    ratios = aggregation._ratios(toy, base, Options(baseline="ruler"))
    assert ratios.peak_rss is not None
    assert ratios.above_floor is None


def test_ctrl_c_before_anything_is_measured_is_no_report(places: Path) -> None:
    def stop(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile(
            [Target.parse(str(places / "ruler"))],
            gold={"sw": places / "sw.spacy"},
            options=QUICK,
            say=stop,
        )


def test_memory_of_a_component_shows(tmp_path: Path) -> None:
    code = tmp_path / "holds_memory.py"
    code.write_text(HOLDS_MEMORY)
    (tmp_path / "texts.txt").write_text("Nairobi\nJuma alirudi\n")
    scope: dict = {}
    exec(HOLDS_MEMORY, scope)
    for name, megabytes in (("light", 0), ("heavy", 100)):
        nlp = spacy.blank("xx")
        nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Nairobi"}])
        nlp.add_pipe("holds_memory", config={"megabytes": megabytes})
        nlp.to_disk(tmp_path / name)
    report = profile(
        [Target.parse(str(tmp_path / name)) for name in ("light", "heavy")],
        texts=tmp_path / "texts.txt",
        options=Options(seconds=0.05, rounds=1, starts=1, code=code),
    )
    light, heavy = (found.memory for found in report.profiles)
    assert light is not None
    assert heavy is not None
    assert heavy.peak_rss_mb.value - light.peak_rss_mb.value == pytest.approx(100, abs=5)
    assert report.profiles[0].accuracy == {}


@pytest.mark.skipif(not memory.SHARES.exists(), reason="the system does not tell")
def test_pages_that_processes_share_count_once(places: Path, gold: dict[str, Path]) -> None:
    options = Options(
        seconds=0.05,
        rounds=1,
        starts=1,
        batch_sizes=(2,),
        processes=2,
        label_map={"PLACE": "LOC"},
    )
    report = profile([Target.parse(str(places / "ruler"))], gold=gold, options=options)
    found = report.profiles[0].memory
    assert found is not None
    assert found.shared is not None
    assert found.shared.processes == 2
    # Three processes, of which two were forked from the first and wrote on little of it.
    assert found.shared.rss_mb > 2 * found.steady_rss_mb.value
    assert found.shared.pss_mb < 0.8 * found.shared.rss_mb
    assert {"shared_pss", "shared_rss"} <= set(report_frame(report)["metric"])


def test_a_pipeline_that_needs_torch_runs_with_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    code = tmp_path / "needs_torch.py"
    code.write_text(NEEDS_TORCH)
    exec(NEEDS_TORCH, {})
    nlp = spacy.blank("xx")
    nlp.add_pipe("needs_torch")
    nlp.to_disk(tmp_path / "pipeline")
    target = Target.parse(str(tmp_path / "pipeline"))
    with ExitStack() as kept:
        samples = check_target(target, ["Nairobi"], [], Options(code=code), kept)
    assert samples.environment == "full"


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("silent", QUICK, "finds no entities .sentencizer."),
        ("ruler", QUICK, "lacks the gold label LOC"),
        ("broken", QUICK, "failed to load"),
        ("bundle", Options(baseline="other"), "no pipeline 'other'"),
    ],
)
def test_what_cannot_be_measured_is_refused_first(
    places: Path, gold: dict[str, Path], path: str, options: Options, message: str
) -> None:
    broken = places / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "config.cfg").write_text("[nlp]\nlang = xx\n")
    said: list[str] = []
    with pytest.raises(OpticalError, match=message):
        profile([Target.parse(str(places / path))], gold=gold, options=options, say=said.append)
    assert not any(text.startswith("Start") for text in said)


def test_two_pipelines_of_one_name_are_refused(places: Path, gold: dict[str, Path]) -> None:
    target = Target.parse(f"same={places / 'ruler'}")
    with pytest.raises(OpticalError, match="called 'same'"):
        profile([target, target], gold=gold)
    with pytest.raises(OpticalError, match="called 'same'"):
        profile([target], gold=gold, extra=[ExtraRow(name="same", f1={"sw": 0.5})])
