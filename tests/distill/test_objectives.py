import math

import pytest
import torch

from spacy_optical.distill import objectives

TWO = torch.tensor([[True, True, False]])


def logits_of(*rows: list[float]) -> torch.Tensor:
    """Scores whose softmax is the given distributions."""
    return torch.tensor([rows]).log()


def test_hard_by_hand():
    logits = logits_of([0.5, 0.5], [0.2, 0.8], [0.9, 0.1])
    tags = torch.tensor([[0, 1, -100]])
    expected = -(math.log(0.5) + math.log(0.8)) / 2
    assert float(objectives.hard(logits, tags)) == pytest.approx(expected)


def test_soft_by_hand():
    student = logits_of([0.5, 0.5], [0.25, 0.75], [0.1, 0.9])
    teacher = logits_of([0.5, 0.5], [0.75, 0.25], [0.9, 0.1])
    # KL(p || q) of the second word: 0.75 log 3 + 0.25 log 1/3; of the first: 0.
    expected = (0.75 * math.log(3) - 0.25 * math.log(3)) / 2
    assert float(objectives.soft(student, teacher, TWO, 1.0)) == pytest.approx(expected)


def test_temperature_by_hand():
    student, teacher = torch.tensor([[[0.0, 0.0]]]), torch.tensor([[[2.0, 0.0]]])
    words = torch.tensor([[True]])
    # At temperature 2 the teacher's odds are e : 1, the student's 1 : 1.
    p = math.e / (1 + math.e)
    expected = 4 * (p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p)))
    assert float(objectives.soft(student, teacher, words, 2.0)) == pytest.approx(expected)


def test_hidden_by_hand():
    teacher = torch.tensor([[[1.0, 0.0], [3.0, 0.0], [99.0, 99.0]]])
    # Their mean is (2, 0): squared deviations 1, 0, 1, 0, on average 0.5.
    student = torch.tensor([[[1.0, 1.0], [3.0, 0.0], [0.0, 0.0]]])
    assert float(objectives.hidden(student, teacher, TWO)) == pytest.approx((1 / 4) / 0.5)
    mean = torch.tensor([[[2.0, 0.0], [2.0, 0.0], [0.0, 0.0]]])
    assert float(objectives.hidden(mean, teacher, TWO)) == pytest.approx(1.0)
    assert float(objectives.hidden(teacher, teacher, TWO)) == 0.0


@pytest.mark.parametrize("times", [1, 3])
def test_hidden_of_a_single_word(times: int):
    """Also of a repeated one. With no variance, the loss was a hundred million times as large."""
    teacher, student = torch.tensor([[[3.0, 1.0]]] * times), torch.tensor([[[1.0, 1.0]]] * times)
    found = objectives.hidden(student, teacher, torch.ones(times, 1, dtype=torch.bool))
    assert float(found) == pytest.approx(2.0 / 5.0)


def test_representation_by_hand():
    centre = torch.tensor([1.0, 1.0])
    source = torch.tensor([[[2.0, 1.0], [1.0, 2.0]]])  # off the centre: (1, 0) and (0, 1)
    target = torch.tensor([[[3.0, 1.0], [1.0, 0.0]]])  # off the centre: (2, 0) and (0, -1)
    # Cosines: 1, 0 / 0, -1; costs: 0, 1 / 1, 2.
    plan = torch.tensor([[[0.3, 0.1], [0.0, 0.2]]])
    expected = (0.1 * 1 + 0.2 * 2) / 0.6
    found = objectives.representation(source, target, plan, centre)
    assert float(found) == pytest.approx(expected)


def test_representation_is_the_mean_over_pairs_and_ignores_padding():
    centre = torch.zeros(2)
    source = torch.tensor([[[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    target = torch.tensor([[[0.0, 1.0]], [[1.0, 0.0]]])
    plan = torch.tensor([[[0.5], [0.0]], [[0.25], [0.25]]])
    # First pair: cost 1 of all its mass. Second: half of the mass costs 0, half 1.
    found = objectives.representation(source, target, plan, centre)
    assert float(found) == pytest.approx((1 + 0.5) / 2)
    weighed = objectives.representation(source, target, plan, centre, torch.tensor([[0.5], [1.0]]))
    assert float(weighed) == pytest.approx((0.5 + 0.5) / 2)


def test_representation_moves_the_student_only():
    source = torch.randn(1, 3, 4, requires_grad=True)
    target = torch.randn(1, 2, 4, requires_grad=True)
    plan = torch.rand(1, 3, 2)
    before = plan.clone()
    objectives.representation(source.detach(), target, plan, torch.zeros(4)).backward()
    assert source.grad is None
    assert target.grad is not None
    assert float(target.grad.abs().sum()) > 0
    assert torch.equal(plan, before)


def test_representation_pulls_words_together():
    torch.manual_seed(0)
    source, plan = torch.randn(1, 3, 4), torch.eye(3)[None] / 3
    target = torch.randn(1, 3, 4, requires_grad=True)
    optimizer = torch.optim.SGD([target], lr=1.0)
    for _ in range(200):
        optimizer.zero_grad()
        loss = objectives.representation(source, target, plan, torch.zeros(4))
        loss.backward()
        optimizer.step()
    cosine = torch.cosine_similarity(source, target.detach(), dim=-1)
    assert cosine.min() > 0.99


def test_pair_without_mass_costs_nothing():
    nothing = torch.zeros(1, 2, 2)
    vectors = torch.randn(1, 2, 3, requires_grad=True)
    loss = objectives.representation(torch.randn(1, 2, 3), vectors, nothing, torch.zeros(3))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()


def test_labels_by_hand():
    logits = logits_of([0.5, 0.5], [0.25, 0.75], [0.1, 0.9])
    projected = torch.tensor([[[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]]])
    weight = torch.tensor([[0.8, 0.4, 1.0]])
    first = -0.8 * math.log(0.5)
    second = -0.4 * (0.5 * math.log(0.25) + 0.5 * math.log(0.75))
    found = objectives.labels(logits, projected, weight, TWO)
    assert float(found) == pytest.approx((first + second) / 2)


def test_labels_without_trust_teach_nothing():
    logits = torch.randn(1, 3, 2, requires_grad=True)
    objectives.labels(logits, torch.full((1, 3, 2), 0.5), torch.zeros(1, 3), TWO).backward()
    assert logits.grad is not None
    assert float(logits.grad.abs().sum()) == 0.0
