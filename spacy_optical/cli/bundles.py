"""Commands that export, package and score models."""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, gold_of, parse_names
from ._options import (
    BundleFolder,
    Force,
    Gold,
    GoldDev,
    GoldTest,
    PipelineFolder,
    Preset,
    Teacher,
    TrainedModel,
)


@command("export")
def export_cli(
    gold: Gold,
    student: TrainedModel,
    out: BundleFolder,
    gold_folder: GoldDev = None,
    preset: Preset = "auto",
    max_f1_loss: float = typer.Option(1.0, help="Maximum loss of F1, in points"),
    max_disagreement: float = typer.Option(0.02, help="Maximum share of words whose tag differs"),
    max_pieces: int = typer.Option(128, min=8, help="Maximum number of pieces in a window"),
    with_vectors: bool = typer.Option(
        False, "--with-vectors", help="Include word vectors, for optical_tok2vec"
    ),
    force: Force = False,
) -> None:
    """Export a model to ONNX, quantise it, and write a bundle if it passes verification.

    Example: python -m spacy optical export training/student bundles/int8
    -g en=corpus/english/dev.spacy
    """
    from ..export.bundle_export import export_bundle
    from ..export.verify import Gate

    verdict = export_bundle(
        student,
        out,
        gold_of(gold, gold_folder, "dev"),
        preset=preset,
        gate=Gate(max_f1_loss, max_disagreement),
        force=force,
        max_pieces=max_pieces,
        with_vectors=with_vectors,
        say=msg.info,
    )
    size = sum(file.stat().st_size for file in out.iterdir())
    msg.text(
        f"fp32 against torch: {verdict.fp32_max_difference:.1e} in the logits; F1 on dev "
        f"{verdict.f1:.1f} (fp32 {verdict.f1_fp32:.1f}); {verdict.disagreement:.2%} of "
        f"{verdict.words} words differ"
    )
    msg.good(f"Bundle in {out} ({size / 1e6:.1f} MB)")


@command("assemble")
def assemble_cli(
    bundle: BundleFolder,
    out: PipelineFolder,
    name: str = typer.Option("optical_ner", "--name", "-n", help="Name of the pipeline"),
    version: str = typer.Option("0.1.0", "--version", "-v", help="Version of the pipeline"),
    licence: str = typer.Option("", "--licence", "-l", help="Licence of the pipeline"),
    data: Path | None = typer.Option(
        None, "--data", "-d", help="Config of the training data, to list the sources"
    ),
    scores: Path | None = typer.Option(
        None, "--scores", "-s", help="Output file of evaluate for the bundle"
    ),
) -> None:
    """Make a spaCy pipeline from a bundle, ready for `spacy package`.

    Example: python -m spacy optical assemble bundles/int8 training/pipeline
    """
    from ..export.pipeline_folder import assemble

    assemble(bundle, out, name=name, version=version, licence=licence, data=data, scores=scores)
    msg.good(f"Pipeline in {out}")


@command("reference")
def reference_cli(teacher: Teacher, out: PipelineFolder) -> None:
    """Make a spaCy pipeline that runs the teacher with torch, for comparison.

    Example: python -m spacy optical reference training/teacher training/teacher-pipeline
    """
    from ..export.reference_pipeline import reference_pipeline

    reference_pipeline(teacher, out)
    msg.good(f"Pipeline in {out}")


@command("evaluate")
def evaluate_cli(
    gold: Gold,
    model: str = typer.Argument(..., help="Model or bundle folder, pipeline, sm or md"),
    out: Path = typer.Argument(..., help="JSON file to write"),
    gold_folder: GoldTest = None,
    labels: str = typer.Option("", "--labels", "-l", help="Labels to score, e.g. PER,ORG,LOC"),
    name: str = typer.Option("", "--name", "-n", help="Display name [default: the folder's name]"),
) -> None:
    """Score a model on gold documents: precision, recall and F1 by language and label.

    A student or teacher runs in torch, a bundle or pipeline in spaCy.

    Example: python -m spacy optical evaluate md metrics/md.json --labels PER,ORG,LOC
    -g sw=corpus/gold/sw-test.spacy
    """
    from ..export.model_scores import evaluate_model
    from ..files import write_json

    scores = evaluate_model(model, gold_of(gold, gold_folder, "test"), parse_names(labels))
    f1 = {language: score["ents_f"] or 0.0 for language, score in scores.items()}
    write_json(out, [{"name": name or Path(model).name, "f1": f1, "scores": scores}])
    rows = []
    for language, score in scores.items():
        numbers = [f"{100 * (score[key] or 0):.1f}" for key in ("ents_p", "ents_r", "ents_f")]
        rows.append((language, *numbers))
    header = ("Language", "Precision", "Recall", "F1")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r"))
    targets = [value for language, value in f1.items() if language != "en"] or list(f1.values())
    msg.good(f"F1 macro {100 * sum(targets) / len(targets):.1f}; written to {out}")
