"""`python -m research`: train and compare experiments, and write the page of results."""

from pathlib import Path

import typer
from wasabi import msg

from spacy_optical.cli._app import command, good, overrides_of, parse_names, say
from spacy_optical.cli._options import Encoder, Layers
from spacy_optical.errors import OpticalError

from .errors import Errors

app = typer.Typer(
    name="research",
    help="Train and compare experiments, and write the page of results",
    no_args_is_help=True,
)


@command("train", overrides=True, group=app)
def train_cli(
    context: typer.Context,
    config_path: Path = typer.Argument(..., metavar="CONFIG", help="Config file with arms"),
    teacher: Path = typer.Argument(..., help="The teacher's folder"),
    out: Path = typer.Argument(..., help="Folder for the students"),
    metrics: Path = typer.Argument(..., help="Folder for the metrics files, one per run"),
    arms: str = typer.Option("all", "--arms", "-a", help="Arms, separated by commas, or 'all'"),
    seeds: str = typer.Option(
        "", "--seeds", "-s", help="Seeds of the students, separated by commas [default: each arm's]"
    ),
) -> None:
    """Train and evaluate the arms of an experiment. Finished runs are kept.

    To continue an interrupted run, run the same command again.

    Example: python -m research train research/configs/experiments.cfg
    training/experiments/teacher training/experiments/arms metrics/experiments --arms ot-both
    """
    from .arms import run_arms

    numbers = parse_names(seeds)
    if not all(number.isdecimal() for number in numbers):
        raise OpticalError(
            Errors.E114.format(name="--seeds", value=seeds, expected="numbers such as 0,1,2")
        )
    written = run_arms(
        config_path,
        teacher,
        out,
        metrics,
        names=[] if arms == "all" else parse_names(arms),
        seeds=[int(number) for number in numbers],
        overrides=overrides_of(context),
        say=say,
    )
    good(f"{len(written)} runs in {metrics}")


@command("bundles", group=app)
def bundles_cli(
    metrics: Path = typer.Argument(..., help="Folder with the metrics files of 'train'"),
    students: Path = typer.Argument(..., help="Folder with the students of 'train'"),
    out: Path = typer.Argument(..., help="Output folder; each bundle is in ARM-seedN"),
    arms: str = typer.Option(..., "--arms", "-a", help="Arms, separated by commas"),
    seed: int = typer.Option(0, "--seed", "-s", min=0, help="Seed of the students"),
) -> None:
    """Copy the evaluated bundles of arms to folders without a hash in their names.

    Example: python -m research bundles metrics/experiments training/experiments/arms
    training/experiments/bundles --arms target-soft,ot-both
    """
    from .arm_bundles import collect_bundles

    copies = collect_bundles(metrics, students, out, names=parse_names(arms), seed=seed)
    msg.good(f"{len(copies)} bundles in {out}")


@command("table", group=app)
def table_cli(
    metrics: Path = typer.Argument(..., help="Folder with the metrics files of 'train'"),
    out: Path | None = typer.Option(None, "--out", "-o", help="Markdown file to write"),
    reference: str = typer.Option(
        "", "--reference", "-r", help="Arm to compare with [default: the config's reference]"
    ),
) -> None:
    """Make a table of all arms that have metrics files.

    Example: python -m research table metrics/experiments --out metrics/experiments/table.md
    """
    from spacy_optical.files import write_text
    from spacy_optical.profiling.text import terminal_table

    from .arm_table import make_arm_table, markdown, read_folder, text_table, unlike

    runs = read_folder(metrics, say)
    table = make_arm_table(runs, reference=reference)
    print(terminal_table(text_table(table)))
    if remark := unlike(runs):
        msg.warn(remark)
    if out is not None:
        write_text(out, markdown(table))
        msg.good(f"Table in {out}")


@command("page", group=app)
def page_cli(
    folders: list[Path] = typer.Argument(
        None, help="Folders of 'profile', each with an optional study.json"
    ),
    arms: list[Path] = typer.Option(
        [], "--arms", "-a", help="Folder with the metrics files of 'train'; repeatable"
    ),
    study: Path | None = typer.Option(
        None, "--study", help="Study of the folders that have no study.json"
    ),
    summary: Path | None = typer.Option(
        None, "--summary", help="Text file with the answer in one paragraph, for the top"
    ),
    out: Path = typer.Option(..., "--out", "-o", help="Markdown page to write"),
) -> None:
    """Write a page of results, with its figures, from metrics files.

    Example: python -m research page --arms docs/results/experiments docs/results/study
    --out docs/results.md
    """
    from spacy_optical.profiling.report import check_tools

    from .arm_results import arms_part
    from .results_page import run_part, write_page

    check_tools()
    # Read and draw everything before writing.
    parts = [arms_part(folder, say) for folder in arms]
    parts += [run_part(folder, study) for folder in folders or []]
    if not parts:
        raise OpticalError(Errors.E624)
    paths = write_page(parts, out, summary)
    msg.good(f"{out} with {len(paths) - 1} figures")


@command("card", group=app)
def card_cli(
    card: Path = typer.Argument(..., help="The model card, a Markdown file"),
    scores: list[str] = typer.Option(
        ..., "--scores", "-s", metavar="NAME=FILE", help="File of evaluate; repeatable"
    ),
    data: Path = typer.Option(..., "--data", "-d", help="Config that names the training data"),
) -> None:
    """Update the tables of a model card with new scores and data.

    Example: python -m research card docs/model-card.md --scores md=docs/results/release/md.json
    --data configs/release.cfg
    """
    from spacy_optical.cli._app import named_paths

    from .model_card import write_card

    write_card(card, list(named_paths(scores).items()), data)
    msg.good(f"Tables in {card}")


@command("frontier", group=app)
def frontier_cli(
    metrics: Path = typer.Argument(..., help="metrics.json of a run of profile"),
    out: Path = typer.Argument(..., help="SVG file to write"),
    scores: list[str] = typer.Option(
        ..., "--scores", "-s", metavar="NAME=FILE", help="File of evaluate; repeatable"
    ),
    teacher: Path = typer.Option(..., "--teacher", help="File of evaluate of the teacher"),
    baseline: str = typer.Option("en_core_web_sm", "--baseline", help="Pipeline without scores"),
) -> None:
    """Draw F1 against speed and size, and print the table.

    Example: python -m research frontier metrics.json frontier.svg --teacher teacher.json
    --scores md=docs/results/release/md.json
    """
    from spacy_optical.cli._app import named_paths
    from spacy_optical.export.pipeline_meta import performance_of
    from spacy_optical.files import written_whole

    from .release_frontier import release_figure, release_points, release_table

    points = release_points(metrics, list(named_paths(scores).items()))
    teacher_f1 = 100 * performance_of(teacher)["ents_f"]
    with written_whole(out) as temporary:
        temporary.write_bytes(release_figure(points, baseline, teacher_f1).svg)
    print(release_table(points, baseline))


@command("self-corpus", group=app)
def self_corpus_cli(
    corpus: Path = typer.Argument(..., help="Corpus folder"),
    out: Path = typer.Argument(..., help="Folder to write"),
    languages: str = typer.Option(..., "--languages", "-l", help="Languages, e.g. sw,fi"),
) -> None:
    """Copy a corpus for self-training: each target sentence is its own translation.

    Example: python -m research self-corpus data/release/adaptation-corpus data/release/self-corpus
    --languages sw,fi,ha
    """
    from .self_training import self_training_corpus

    self_training_corpus(corpus, out, parse_names(languages), "en")
    msg.good(f"Corpus in {out}")


@command("evaluate-projection", group=app)
def evaluate_projection_cli(
    encoder: Encoder,
    layer: Layers,
    source: Path = typer.Argument(..., help="Tagged English sentences (.iob2)"),
    target: Path = typer.Argument(..., help="Tagged translations with the same sent_id"),
    aligner: list[str] = typer.Option(
        [], "--aligner", "-a", help="Name of an aligner; repeatable [default: all]"
    ),
    output: Path | None = typer.Option(None, "--output", "-o", help="JSON file to write"),
) -> None:
    """Project gold entities to another language and compare them with its gold entities.

    Example: python -m research evaluate-projection en_pud.iob2 de_pud.iob2
    --encoder assets/encoder --aligner partial --aligner softmax --output metrics/projection.json
    """
    from spacy_optical.align.config import ALIGNERS
    from spacy_optical.align.config import aligner as preset
    from spacy_optical.encoders.word_vectors import DEFAULT_LAYERS, WordEncoder
    from spacy_optical.files import write_json

    from . import aligners as aligners  # registers them
    from .projection_evaluation import evaluate_projection

    names = aligner or list(ALIGNERS)
    for name in names:
        preset(name)
    encode = WordEncoder(encoder, layer or DEFAULT_LAYERS)
    result = evaluate_projection(source, target, encode, names, say=msg.info)
    if result.left_out:
        msg.warn(f"{result.left_out} sentences are in one file only")
    header, rows = result.table()
    msg.table(rows, header=header, divider=True, aligns=("l", *"r" * (len(header) - 1)))
    msg.text(f"Ceiling {result.ceiling.f1:.1f} F1 over {result.sentences} sentences")
    if output is not None:
        write_json(output, result.to_json())
        msg.good(f"Figures in {output}")


if __name__ == "__main__":
    app(prog_name="python -m research")
