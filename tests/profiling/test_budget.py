import pytest

from spacy_optical.cli._amounts import parse_amount
from spacy_optical.errors import OpticalError
from spacy_optical.profiling.budget import excess, recommend
from spacy_optical.profiling.schema import Budget, ProfileReport


def test_the_best_f1_within_the_budget_is_named(report: ProfileReport) -> None:
    ruler, toy = report.profiles
    assert ruler.macro_f1 is not None
    better = ruler.macro_f1.model_copy(update={"value": 0.99})
    ranked = report.model_copy(
        update={"profiles": [ruler.model_copy(update={"macro_f1": better}), toy]}
    )
    assert recommend(ranked, Budget())["macro"] == "ruler"
    assert ruler.disk is not None
    assert toy.disk is not None
    assert toy.disk.mb < ruler.disk.mb
    small = recommend(ranked, Budget(max_disk_mb=toy.disk.mb))
    assert small == {"macro": "toy", "en": "toy", "sw": "toy"}


def test_the_excess_is_told(report: ProfileReport) -> None:
    toy = report.profiles[1]
    assert excess(toy, Budget(max_disk_mb=0.001, max_p50_ms=1e9))[0].startswith("disk 0.0")
    unknown = toy.model_copy(update={"latency": None})
    assert excess(unknown, Budget(max_p50_ms=1e9)) == ["p50 not measured"]


def test_nothing_may_fit(report: ProfileReport) -> None:
    assert recommend(report, Budget(max_p50_ms=1e-6)) == {}


def test_without_gold_nothing_is_recommended(report: ProfileReport) -> None:
    blind = [found.model_copy(update={"accuracy": {}}) for found in report.profiles]
    with pytest.raises(OpticalError, match="no F1"):
        recommend(report.model_copy(update={"profiles": blind}), Budget())


@pytest.mark.parametrize(
    ("text", "unit", "amount"),
    [("5ms", "ms", 5.0), ("0.2s", "ms", 200.0), ("60MB", "MB", 60.0), ("1.5GB", "MB", 1500.0)],
)
def test_amounts_have_units(text: str, unit: str, amount: float) -> None:
    assert parse_amount(text, unit) == pytest.approx(amount)


@pytest.mark.parametrize(("text", "unit"), [("5MB", "ms"), ("fast", "ms"), ("-1", "MB")])
def test_other_amounts_are_refused(text: str, unit: str) -> None:
    with pytest.raises(OpticalError, match="does not have the form"):
        parse_amount(text, unit)
