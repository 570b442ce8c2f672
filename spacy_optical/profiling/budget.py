"""Select a pipeline for a device: the best F1 within a budget."""

from functools import partial

from ..errors import Errors, OpticalError
from .cells import number
from .schema import Budget, Profile, ProfileReport

# For each field of a budget: the cost in `Profile.costs`, its name in texts, and its unit.
LIMITS = {
    "max_p50_ms": ("p50", "p50", "ms"),
    "max_rss_mb": ("peak_rss", "peak RSS", "MB"),
    "max_above_floor_mb": ("above_floor", "above floor", "MB"),
    "max_disk_mb": ("disk", "disk", "MB"),
}


def excess(found: Profile, budget: Budget) -> list[str]:
    """List the costs of a pipeline that are above a budget or were not measured."""
    over = []
    for field, (key, name, unit) in LIMITS.items():
        limit, cost = getattr(budget, field), found.costs.get(key)
        if limit is not None and cost is None:
            over.append(f"{name} not measured")
        elif limit is not None and cost is not None and cost.value > limit:
            over.append(f"{name} {number(cost.value)} {unit}")
    return over


def recommend(report: ProfileReport, budget: Budget) -> dict[str, str]:
    """Select the pipelines with the best F1 within a budget. Of equal ones, the fastest is best.

    report (ProfileReport): The measured pipelines.
    budget (Budget): The maximum costs.
    RETURNS (Dict[str, str]): The name of the best pipeline for each language, and for macro F1 as
        `macro`. Empty if no pipeline is within the budget.
    RAISES (OpticalError): If no pipeline has an F1.
    """
    if not any(found.accuracy for found in report.profiles):
        raise OpticalError(Errors.E618)
    fitting = [found for found in report.profiles if found.accuracy and not excess(found, budget)]
    keys = ("macro", *report.languages) if fitting else ()
    return {key: max(fitting, key=partial(_rank, key)).name for key in keys}


def _rank(key: str, found: Profile) -> tuple[float, float]:
    f1 = found.macro_f1 if key == "macro" else found.accuracy[key].f1
    p50 = found.latency.p50_ms.value if found.latency is not None else float("inf")
    return (f1.value if f1 is not None else 0.0), -p50


def budget_text(budget: Budget) -> str:
    """Format a budget."""
    limits = [(getattr(budget, field), unit, name) for field, (_, name, unit) in LIMITS.items()]
    texts = [f"{number(limit)} {unit} {name}" for limit, unit, name in limits if limit is not None]
    return ", ".join(texts) or "any cost"
