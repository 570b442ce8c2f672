"""Commands that measure pipelines and show the results."""

from pathlib import Path

import typer
from spacy.cli._util import benchmark_cli
from wasabi import msg

from ..errors import Errors, OpticalError
from ._app import command, gold_of, named_values, parse_names
from ._options import Gold, GoldTest, Markdown, MaxAboveFloor, MaxDisk, MaxP50, MaxRss


@command("profile")
def profile_cli(
    gold: Gold,
    pipelines: list[str] = typer.Argument(
        ..., help="Pipelines or bundle folders, as PIPELINE or NAME=PIPELINE"
    ),
    gold_folder: GoldTest = None,
    texts: Path | None = typer.Option(
        None, "--texts", "-t", help="Texts in .txt, .jsonl or .spacy [default: the gold texts]"
    ),
    out: Path = typer.Option(Path("profile"), "--out", "-o", help="Folder for the report"),
    baseline: str | None = typer.Option(None, "--baseline", "-b", help="Pipeline to compare with"),
    batch_sizes: str = typer.Option("64", help="Batch sizes, separated by commas"),
    threads: int = typer.Option(1, help="Threads per pipeline"),
    seconds: float = typer.Option(10.0, help="Seconds per pipeline, and per batch size"),
    rounds: int = typer.Option(6, help="Number of rounds to divide the seconds into"),
    starts: int = typer.Option(3, help="Number of new processes for start times and memory"),
    seed: int = typer.Option(0, "--seed", "-s", help="Random seed"),
    labels: str | None = typer.Option(None, help="Labels to score, e.g. PER,ORG [default: all]"),
    label_map: list[str] = typer.Option(
        [], "--map", metavar="OWN=GOLD", help="Rename a label to a gold label; repeatable"
    ),
    source_language: str = typer.Option("en", help="Language to leave out of macro F1"),
    code: Path | None = typer.Option(None, "--code", "-c", help="Python file with components"),
    extra: Path | None = typer.Option(None, help="JSON file with F1 of other models to show"),
    markdown: Markdown = None,
    earlier: Path | None = typer.Option(
        None, "--compare", help="Earlier metrics.json; exit with code 1 if a figure is worse"
    ),
    max_worse: float = typer.Option(0.1, min=0, help="With --compare: allowed change, 0.1 is 10 %"),
    processes: int = typer.Option(1, help="Also measure the memory of N processes of nlp.pipe"),
    memory_limit: str | None = typer.Option(None, help="Limit per process, e.g. 512MB (Linux)"),
    memory_group: Path | None = typer.Option(None, help="Control group to limit resident memory"),
    max_p50: MaxP50 = None,
    max_rss: MaxRss = None,
    max_above_floor: MaxAboveFloor = None,
    max_disk: MaxDisk = None,
    force: bool = typer.Option(
        False, "--force", help="With --compare: ignore differences in machine, texts and settings"
    ),
) -> None:
    """Measure speed, latency, memory, size and F1 of pipelines, each in new processes.

    Example: python -m spacy optical profile teacher=teacher_pipeline int8=bundle
    --gold sw=corpus/gold/sw-test.spacy --baseline teacher --out report
    """
    from ..files import read_record
    from ..profiling.compare import change_table, compare
    from ..profiling.measure import profile
    from ..profiling.metrics_file import read_metrics
    from ..profiling.options import Options
    from ..profiling.report import PAGE_FILE, check_tools, write_report
    from ..profiling.schema import ExtraRow
    from ..profiling.text import markdown_text, terminal_table, terminal_text
    from ._amounts import make_budget, parse_amount, parse_numbers
    from ._markdown import check_marks, replace_results

    check_tools()
    if markdown is not None:
        check_marks(markdown)
    old = None if earlier is None else read_metrics(earlier)
    report = profile(
        pipelines,
        gold=gold_of(gold, gold_folder, "test"),
        texts=texts,
        options=Options(
            threads=threads,
            batch_sizes=parse_numbers(batch_sizes),
            seconds=seconds,
            rounds=rounds,
            starts=starts,
            seed=seed,
            baseline=baseline,
            labels=None if labels is None else parse_names(labels),
            label_map=named_values(label_map, "OWN=GOLD"),
            source_language=source_language,
            code=code,
            processes=processes,
            memory_limit_mb=parse_amount(memory_limit, "MB"),
            memory_group=memory_group,
            budget=make_budget(max_p50, max_rss, max_above_floor, max_disk),
        ),
        extra=[] if extra is None else read_record(extra, list[ExtraRow]),
        say=msg.info,
    )
    write_report(report, out)
    print(terminal_text(report))
    msg.good(f"Report in {out / PAGE_FILE}")
    if not report.complete:
        msg.fail("Stopped by the user; the figures so far are kept and marked", exits=1)
    if markdown is not None:
        replace_results(markdown, markdown_text(report))
        msg.good(f"Tables in {markdown}")
    if old is not None:
        changes = compare(old, report, most_worse=max_worse, force=force)
        print(terminal_table(change_table(changes)))
        if any(change.regressed for change in changes):
            msg.fail(f"Worse than {earlier}", exits=1)
        msg.good(f"Not worse than {earlier}")


# Next to `spacy benchmark speed`.
benchmark_cli.command("optical")(profile_cli)


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


@command("summary")
def summary_cli(
    report: Path = typer.Argument(..., help="Report folder of the profile command"),
    bundle: Path = typer.Option(..., "--bundle", "-b", help="Folder of the bundle"),
    packages: Path = typer.Option(..., "--packages", "-p", help="Folder with the built packages"),
    markdown: Markdown = None,
) -> None:
    """Show the tables of a report, and the paths of the report, bundle and wheel.

    Example: python -m spacy optical summary metrics/profile -b bundles/student-int8 -p packages
    """
    from ..profiling.metrics_file import read_metrics
    from ..profiling.report import METRICS_FILE, PAGE_FILE
    from ..profiling.text import markdown_text, terminal_text
    from ._markdown import replace_results

    metrics = read_metrics(report / METRICS_FILE)
    print(terminal_text(metrics))
    if markdown is not None:
        replace_results(markdown, markdown_text(metrics))
    wheels = packages.glob("*/dist/*.whl")
    newest = max(wheels, key=lambda wheel: wheel.stat().st_mtime, default=None)
    if newest is None:
        raise OpticalError(Errors.E002.format(what="wheel", path=packages))
    msg.table({"Report": report / PAGE_FILE, "Bundle": bundle, "Wheel": newest})
