"""`python -m spacy optical profile`"""

from pathlib import Path

import typer
from spacy.cli._util import benchmark_cli
from wasabi import msg

from ._app import command, gold_of, named_values, parse_names
from ._options import Gold, GoldTest, Markdown, MaxAboveFloor, MaxDisk, MaxP50, MaxRss


@command("profile")
def profile_cli(
    gold: Gold,
    pipelines: list[str] = typer.Argument(
        ..., help="Names or folders of pipelines or bundles, as PIPELINE or NAME=PIPELINE"
    ),
    gold_folder: GoldTest = None,
    texts: Path | None = typer.Option(
        None, "--texts", "-t", help="Texts to run: .txt, .jsonl or .spacy [default: the gold's]"
    ),
    out: Path = typer.Option(Path("profile"), "--out", "-o", help="Folder for the report"),
    baseline: str | None = typer.Option(
        None, "--baseline", "-b", help="Pipeline that the others are compared with"
    ),
    batch_sizes: str = typer.Option("64", help="Batch sizes, separated by commas"),
    threads: int = typer.Option(1, help="Threads per pipeline"),
    seconds: float = typer.Option(
        10.0, help="Seconds to measure each pipeline, and again for each batch size"
    ),
    rounds: int = typer.Option(6, help="Number of rounds to divide the seconds into"),
    starts: int = typer.Option(3, help="Number of fresh processes for start times and memory"),
    seed: int = typer.Option(
        0, "--seed", "-s", help="Seed for the order of the texts and for resampling"
    ),
    labels: str | None = typer.Option(
        None, help="Gold labels to evaluate, separated by commas [default: all]"
    ),
    label_map: list[str] = typer.Option(
        [], "--map", help="Map a pipeline's label to a gold label, as OWN=GOLD; repeatable"
    ),
    source_language: str = typer.Option(
        "en", help="Language of the training labels, left out of macro F1"
    ),
    code: Path | None = typer.Option(
        None, "--code", "-c", help="Python file that registers components"
    ),
    extra: Path | None = typer.Option(
        None, help="JSON file with F1 of other models, to show in the tables"
    ),
    markdown: Markdown = None,
    earlier: Path | None = typer.Option(
        None,
        "--compare",
        help="Earlier metrics.json to compare with; exit with 1 if a figure got worse",
    ),
    max_worse: float = typer.Option(
        0.1, min=0, help="With --compare: how much worse a figure may be; 0.1 is 10 %"
    ),
    processes: int = typer.Option(
        1, help="Also report the combined memory of N processes of nlp.pipe"
    ),
    memory_limit: str | None = typer.Option(
        None, help="Memory limit of each measured process, such as 512MB; Linux only"
    ),
    memory_group: Path | None = typer.Option(
        None, help="Control group for the limit, to limit resident memory"
    ),
    max_p50: MaxP50 = None,
    max_rss: MaxRss = None,
    max_above_floor: MaxAboveFloor = None,
    max_disk: MaxDisk = None,
    force: bool = typer.Option(
        False, "--force", help="With --compare: also compare different machines, texts and settings"
    ),
) -> None:
    """Measure speed, latency, memory, size and F1 of pipelines, each in fresh processes.

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
            budget=make_budget(
                p50=max_p50, rss=max_rss, above_floor=max_above_floor, disk=max_disk
            ),
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
