from pathlib import Path

import pytest

from research.arm_config import load_experiments
from research.arms import planned_runs
from spacy_optical.data.sources import load_data_config
from spacy_optical.distill.config import load_config
from spacy_optical.errors import OpticalError

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "research" / "configs" / "experiments.cfg"
CONFIGS = ROOT / "configs"


def test_shipped_files_are_pinned_but_for_the_one_that_a_mirror_may_lack():
    unpinned = [f for f in load_data_config(SHIPPED).files if f.host and not f.sha256]
    assert [(file.path.rpartition("/")[2], file.optional) for file in unpinned] == [
        ("en_ewt-ud-train.iob2", True)
    ]


def test_shipped_arms_are_valid_and_differ_in_their_objective_alone():
    experiments = load_experiments(SHIPPED)
    runs = {(run.name, run.seed): run.config for run in planned_runs(SHIPPED, experiments)}
    both, soft = runs["ot-both", 0], runs["target-soft", 0]
    assert both.model_copy(update={"objective": soft.objective}) == soft
    assert (soft.objective.representation, soft.objective.labels) == (0, 0)
    assert {seed for name, seed in runs if name == "ot-both"} == {0, 1, 2}
    assert runs["english-hard", 0].objective.hidden == 0
    assert runs["english-soft", 0].objective.hidden_target == 0


def test_arms_that_align_alike_share_plans():
    runs = {run.name: run.config for run in planned_runs(SHIPPED, load_experiments(SHIPPED))}
    plans = {name: config.paths.plans for name, config in runs.items()}
    assert plans["ot-both"] == plans["target-soft"] == plans["ot-labels"]
    others = ("order-representation", "argmax-representation", "pooled-representation")
    assert len({plans[name] for name in (*others, "ot-both", "adapted-both")}) == 5
    assert plans["size-6x384"] == plans["size-2x192"] == plans["ot-both"]


def test_controls_of_the_adaptation_differ_in_their_alignment_alone():
    release = load_config(CONFIGS / "adaptation.cfg")
    path = SHIPPED.with_name("adaptation.cfg")
    runs = {run.name: run.config for run in planned_runs(path, load_experiments(path), seeds=[0])}
    partial = runs["partial"]
    assert set(partial.data.languages) < set(release.data.languages)
    update = {"paths": release.paths, "data": release.data}
    update["training"] = partial.training.model_copy(update={"seed": None})
    assert partial.model_copy(update=update) == release
    for name in ("order", "argmax", "softmax", "balanced", "partial-words"):
        update = {"plans": partial.plans, "paths": partial.paths}
        assert runs[name].model_copy(update=update) == partial
        assert runs[name].plans != partial.plans
        assert runs[name].paths.plans != partial.paths.plans
    own = runs["self-training"]
    assert own.plans == partial.plans
    assert own.paths.corpus != partial.paths.corpus
    assert set(load_data_config(path).languages) == set(partial.data.languages)
    # The adapted teacher teaches the release, whose corpus has all its languages.
    assert set(release.data.languages) < set(load_config(CONFIGS / "release.cfg").data.languages)


def test_an_arm_on_another_corpus_has_plans_of_its_own(tmp_path):
    arm = '[arms.long]\ntitle = "arm 7 on more"\noverrides = {"paths.corpus": "more"}\n'
    path = tmp_path / "more.cfg"
    path.write_text(f"{SHIPPED.read_text(encoding='utf8')}\n{arm}", encoding="utf8")
    runs = {run.name: run.config for run in planned_runs(path, load_experiments(path))}
    assert runs["long"].paths.corpus == Path("more")
    assert runs["long"].paths.plans != runs["ot-both"].paths.plans


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[arms.teacher]", "[arms.a/b]", "a name is made of letters"),
        ('reference = "target-soft"', 'referent = "target-soft"', "'referent' is wrong"),
        ('title = "both"', "", "title"),
        ("[corpus]", "[benchmark]", r"E424.*section \[benchmark\] is now \[corpus\]"),
    ],
)
def test_wrong_lines_are_named(tmp_path, old, new, said):
    path = tmp_path / "changed.cfg"
    text = SHIPPED.read_text(encoding="utf8").replace("OT representation and labels", "both")
    path.write_text(text.replace(old, new, 1), encoding="utf8")
    with pytest.raises(OpticalError, match=said):
        load_experiments(path)
