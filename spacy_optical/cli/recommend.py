"""`python -m spacy optical recommend`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command
from ._options import MaxAboveFloor, MaxDisk, MaxP50, MaxRss


@command("recommend")
def recommend_cli(
    metrics: Path = typer.Argument(..., help="The metrics.json of the profile command"),
    max_p50: MaxP50 = None,
    max_rss: MaxRss = None,
    max_above_floor: MaxAboveFloor = None,
    max_disk: MaxDisk = None,
) -> None:
    """Show the pipeline with the best F1 within a budget, overall and by language.

    Example: python -m spacy optical recommend report/metrics.json --max-p50 5ms --max-disk 20MB
    """
    from ..profiling.budget import recommend
    from ..profiling.metrics_file import read_metrics
    from ..profiling.schema import Budget
    from ..profiling.tables import budget_table
    from ..profiling.text import terminal_table
    from ._amounts import make_budget

    budget = make_budget(max_p50, max_rss, max_above_floor, max_disk) or Budget()
    report = read_metrics(metrics)
    best = recommend(report, budget)
    print(terminal_table(budget_table(report, budget)))
    if not best:
        msg.fail("No pipeline is within the budget", exits=1)
    msg.table({"Best macro F1": best.pop("macro"), **best})
