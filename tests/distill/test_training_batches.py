from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch.fx.experimental import _config as torch_config

from spacy_optical.distill import objectives
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.plan_reader import read_plans
from spacy_optical.distill.plan_store import dense, words_of
from spacy_optical.distill.tagger import WordTagger, first_pieces, load_tagger
from spacy_optical.distill.training_batches import StepMaker, StudentTask
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained

TERMS = {"hard", "soft", "target_kd", "hidden", "representation", "labels"}


def task_of(trained: Trained, **overrides: Any) -> StudentTask:
    config = load_config(trained.config_path, overrides)
    pieces = WordPieces((trained.student / "tokenizer.json").read_bytes())
    return StudentTask(config, *read_plans(config, trained.teacher), pieces)


@pytest.fixture
def task(trained: Trained) -> StudentTask:
    return task_of(trained)


@pytest.fixture
def student(trained: Trained) -> WordTagger:
    return load_tagger(trained.student).eval()


def first_batch(task: StudentTask) -> StepMaker:
    return task.batches(np.random.default_rng(0))[0]


def name_of(term: str) -> str:
    return "repr" if term == "representation" else term


def test_epoch_holds_every_pair_once(task: StudentTask):
    batches = task.batches(np.random.default_rng(0))
    pairs = [pair for batch in batches for pair in batch.pairs]
    assert len(pairs) == 64
    assert set(pairs) == {(lang, i) for lang in ("sw", "fi") for i in range(32)}
    assert {len(batch.english) for batch in batches} == {4}  # half as many as pairs
    english = [i for batch in batches for i in batch.english]
    assert len(set(english)) == len(english) == 32


def test_words_are_cut_once(trained: Trained, monkeypatch: pytest.MonkeyPatch):
    task = task_of(trained)
    monkeypatch.setattr(WordPieces, "pieces", None)  # every call would fail
    for batch in (*task.batches(np.random.default_rng(0)), first_batch(task)):
        step = batch.make()
        for row, (language, number) in enumerate(batch.pairs):
            assert int(step.target.batch.words[row].sum()) == len(
                words_of(task.plans[language][number]["target-words"])
            )


def test_step_by_hand(task: StudentTask):
    batch = first_batch(task)
    step = batch.make()
    language, number = batch.pairs[2]
    arrays = task.plans[language][number]
    n, m = len(arrays["logits"]), len(arrays["source"])
    np.testing.assert_array_equal(step.target.logits[2, :n], arrays["logits"])
    np.testing.assert_array_equal(step.source[2, :m], arrays["source"])
    np.testing.assert_array_equal(step.plan[2, :m, :n], dense(arrays["plan"], (m, n)))
    for tensor in (step.plan[2, m:], step.plan[2, :, n:], step.trust[2, n:], step.source[2, m:]):
        assert not tensor.any()
    width = step.target.logits.shape[1]
    assert step.target.batch.words[2].tolist() == [i < n for i in range(width)]
    tags = task.english.sentences[batch.english[1]].tags
    assert tags is not None
    assert step.english is not None
    assert tuple(step.english.batch.tags[1, : len(tags)].tolist()) == tags
    assert (step.english.batch.tags[1, len(tags) :] == -100).all()
    said = task.english.store[batch.english[1]]["logits"]
    np.testing.assert_array_equal(step.english.logits[1, : len(said)], said)


@pytest.mark.parametrize("term", sorted(TERMS))
def test_zero_weight_switches_a_term_off(
    trained: Trained, student: WordTagger, term: str, monkeypatch: pytest.MonkeyPatch
):
    task = task_of(trained, **{f"objective.{term}": 0.0})
    found = task.losses(student, first_batch(task))
    assert set(found) == {name_of(other) for other in TERMS - {term}}


def test_no_english(trained: Trained, student: WordTagger):
    task = task_of(trained, **{"training.english": 0.0})
    batches = task.batches(np.random.default_rng(0))
    assert not any(batch.english for batch in batches)
    assert {pair for batch in batches for pair in batch.pairs} == {
        (lang, i) for lang in ("sw", "fi") for i in range(32)
    }
    found = task.losses(student, batches[0])
    assert set(found) == {"target_kd", "hidden", "repr", "labels"}
    step = batches[0].make()
    read = student(step.target.batch)
    expected = objectives.hidden(
        first_pieces(read.hidden[-1], step.target.batch), step.target.last, step.target.batch.words
    )
    torch.testing.assert_close(found["hidden"], expected)


def test_weights_scale_their_terms(trained: Trained, task: StudentTask, student: WordTagger):
    doubled = task_of(trained, **{f"objective.{term}": 2.0 for term in TERMS})
    once = task.losses(student, first_batch(task))
    twice = doubled.losses(student, first_batch(doubled))
    assert set(once) == {name_of(term) for term in TERMS}
    for name, loss in once.items():
        torch.testing.assert_close(twice[name], 2 * loss)
        assert float(loss.detach()) > 0


def test_own_reading_yields_to_what_came_through_the_plan(trained: Trained, student: WordTagger):
    whole, less = (task_of(trained, **{"objective.kd_discount": y}) for y in (0.0, 1.0))
    step = first_batch(whole).make()
    read = student(step.target.batch)
    each = torch.nn.functional.kl_div(
        read.logits.log_softmax(-1), step.target.logits.softmax(-1), reduction="none"
    ).sum(-1)
    trust = step.trust * step.weight
    assert float(trust.max()) > 0
    left = ((1 - trust) * each)[step.target.batch.words].mean()
    torch.testing.assert_close(less.losses(student, first_batch(less))["target_kd"], left)
    assert left < whole.losses(student, first_batch(whole))["target_kd"]


def test_balance_gives_languages_their_share(trained: Trained):
    even = task_of(trained, **{"training.sampling_exponent": 0.0})
    # As if one language had a quarter of the other's pairs.
    kept = (even.rows[:, 0] == 0) | (even.rows[:, 1] < 8)
    even.rows, even.lengths = even.rows[kept], even.lengths[kept]
    pairs = [pair for batch in even.batches(np.random.default_rng(0)) for pair in batch.pairs]
    times = Counter(pairs)
    assert Counter(lang for lang, _ in pairs) == {"sw": 20, "fi": 20}
    assert max(times[("sw", i)] for i in range(32)) == 1
    assert {times[("fi", i)] for i in range(8)} == {2, 3}


def test_representation_reaches_only_the_layers_below(task: StudentTask, trained: Trained):
    student = load_tagger(trained.student)
    task.losses(student, first_batch(task))["repr"].backward()
    layer = task.layer
    grads = {
        name: param.grad is not None and bool(param.grad.any())
        for name, param in student.model.named_parameters()
    }
    assert grads[f"bert.encoder.layer.{layer - 1}.output.dense.weight"]
    assert not any(g for name, g in grads.items() if name.startswith(f"bert.encoder.layer.{layer}"))
    assert not grads["classifier.weight"]


def test_a_student_that_pools_early_learns(task: StudentTask, trained: Trained):
    student = load_tagger(trained.student).eval()
    flat = task.losses(student, first_batch(task))
    student.model.config.pool_after = 1
    optimizer = torch.optim.Adam(student.parameters(), lr=0.003)
    sums = []
    for _ in range(4):
        terms = task.losses(student, first_batch(task))
        loss = torch.stack(list(terms.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums.append(float(loss.detach()))
    assert sums == sorted(sums, reverse=True)
    assert set(terms) == set(flat)
    assert sums[0] != pytest.approx(float(torch.stack(list(flat.values())).sum().detach()))
    for name, weight in student.model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.any() or name.endswith("key.bias"), name


@pytest.mark.parametrize("pool_after", [None, 0, 1])
def test_a_step_is_made_on_the_device_of_the_tagger(trained: Trained, pool_after: int | None):
    """torch's device without data stands in for a GPU: it refuses tensors of the CPU, too."""
    task = task_of(trained, **{"training.word_dropout": 0.5})
    student = load_tagger(trained.student).to("meta")
    student.model.config.pool_after = pool_after
    with torch_config.patch(meta_nonzero_assume_all_nonzero=True):
        found = task.losses(student, first_batch(task))
        torch.stack(list(found.values())).sum().backward()
    assert set(found) == {name_of(term) for term in TERMS}
    assert {value.device.type for value in found.values()} == {"meta"}


def test_arrays_on_disk_get_no_gradient(task: StudentTask):
    step = first_batch(task).make()
    assert not any(value.requires_grad for value in step if isinstance(value, torch.Tensor))


def test_teachers_own_reading_costs_nothing(trained: Trained):
    """A student that is the teacher has no soft, own or hidden loss."""
    config: DistillConfig = trained.config
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    task = StudentTask(config, *read_plans(config, trained.teacher), pieces)
    losses = task.losses(load_tagger(trained.teacher).eval(), first_batch(task))
    for name in ("soft", "target_kd", "hidden"):
        assert float(losses[name].detach()) < 1e-4


def test_nothing_that_fits(trained: Trained):
    english, plans = read_plans(trained.config, trained.teacher)
    pieces = WordPieces((trained.student / "tokenizer.json").read_bytes())
    narrow = trained.config.model_copy(
        update={"training": trained.config.training.model_copy(update={"max_pieces": 8})}
    )
    with pytest.raises(OpticalError, match=r"E412.*English sentence fits a window of 8"):
        StudentTask(narrow, english, plans, pieces)
