from pathlib import Path

import pytest

from research.arms import planned_runs
from spacy_optical.benchmark.config import load_benchmark, sources
from spacy_optical.errors import OpticalError

SHIPPED = Path(__file__).parent.parent.parent / "research" / "configs" / "experiments.cfg"


def test_shipped_files_are_pinned_but_for_the_one_that_a_mirror_may_lack():
    unpinned = [s for s in sources(load_benchmark(SHIPPED)) if s.host and not s.sha256]
    assert [(source.path.rpartition("/")[2], source.optional) for source in unpinned] == [
        ("en_ewt-ud-train.iob2", True)
    ]


def test_shipped_arms_are_valid_and_differ_in_their_objective_alone():
    benchmark = load_benchmark(SHIPPED)
    runs = {(run.name, run.seed): run.config for run in planned_runs(SHIPPED, benchmark)}
    both, soft = runs["ot-both", 0], runs["target-soft", 0]
    assert both.model_copy(update={"objective": soft.objective}) == soft
    assert (soft.objective.representation, soft.objective.labels) == (0, 0)
    assert {seed for name, seed in runs if name == "ot-both"} == {0, 1, 2}
    assert runs["english-hard", 0].objective.hidden == 0
    assert runs["english-soft", 0].objective.hidden_target == 0


def test_arms_that_align_alike_share_plans():
    runs = {run.name: run.config for run in planned_runs(SHIPPED, load_benchmark(SHIPPED))}
    plans = {name: config.paths.plans for name, config in runs.items()}
    assert plans["ot-both"] == plans["target-soft"] == plans["ot-labels"]
    others = ("order-representation", "argmax-representation", "pooled-representation")
    assert len({plans[name] for name in (*others, "ot-both", "adapted-both")}) == 5
    assert plans["size-6x384"] == plans["size-2x192"] == plans["ot-both"]


def test_an_arm_on_another_corpus_has_plans_of_its_own(tmp_path):
    arm = '[benchmark.arms.long]\ntitle = "arm 7 on more"\noverrides = {"paths.corpus": "more"}\n'
    path = tmp_path / "more.cfg"
    path.write_text(f"{SHIPPED.read_text(encoding='utf8')}\n{arm}", encoding="utf8")
    runs = {run.name: run.config for run in planned_runs(path, load_benchmark(path))}
    assert runs["long"].paths.corpus == Path("more")
    assert runs["long"].paths.plans != runs["ot-both"].paths.plans


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[benchmark]", "[other]\n[benchmarks]", "E401"),
        ('name = "Hausa"', 'nom = "Hausa"', "languages.ha.nom"),
        ("[benchmark.languages.ha]", "[benchmark.languages.en]", "source language"),
        ('["en", "hau"]', '["hau"]', "languages.ha.bitext_keys"),
        ("[benchmark.arms.teacher]", "[benchmark.arms.a/b]", "a name is of letters"),
        ('gold_format = "table"', 'gold_format = "xml"', "languages.mr.gold_format"),
    ],
)
def test_wrong_lines_are_named(tmp_path, old, new, said):
    path = tmp_path / "changed.cfg"
    path.write_text(SHIPPED.read_text(encoding="utf8").replace(old, new, 1), encoding="utf8")
    with pytest.raises(OpticalError, match=said):
        load_benchmark(path)


def test_a_language_without_any_file_is_of_no_use(tmp_path):
    path = tmp_path / "empty.cfg"
    path.write_text('[benchmark]\n[benchmark.languages]\n[benchmark.languages.yo]\nname = "Y"\n')
    with pytest.raises(OpticalError, match=r"languages\.yo.*bitext, a gold test, or both"):
        load_benchmark(path)
