"""`python -m spacy optical export`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command


@command("export")
def export_cli(
    student: Path = typer.Argument(..., help="A student's or teacher's folder"),
    out: Path = typer.Argument(..., help="The bundle's folder"),
    gold: list[str] = typer.Option(
        [], "--gold", "-g", metavar="LANG=FILE", help="Development .spacy file; repeatable"
    ),
    gold_folder: Path | None = typer.Option(
        None, "--gold-folder", help="The corpus command's gold folder, its dev files"
    ),
    preset: str = typer.Option("auto", "--preset", "-p", help="auto, fp32, int8 or int8-vnni"),
    max_f1_loss: float = typer.Option(1.0, help="Points of F1 that the bundle may lose"),
    max_disagreement: float = typer.Option(0.02, help="Share of words whose tag may differ"),
    max_pieces: int = typer.Option(128, min=8, help="The most pieces of one window"),
    force: bool = typer.Option(False, "--force", "-f", help="Write and mark a bundle that fails"),
) -> None:
    """Export to ONNX, quantise, verify; write the bundle only if it passes.

    Example: python -m spacy optical export training/student bundles/int8
    -g en=corpus/english/dev.spacy
    """
    from ..export.bundle_export import export_bundle
    from ..export.verify import Gate
    from ._gold import gold_of

    verdict = export_bundle(
        student,
        out,
        gold_of(gold, gold_folder, "dev"),
        preset=preset,
        gate=Gate(max_f1_loss, max_disagreement),
        force=force,
        max_pieces=max_pieces,
        say=msg.info,
    )
    size = sum(file.stat().st_size for file in out.iterdir())
    msg.text(
        f"fp32 against torch: {verdict.fp32_max_difference:.1e} in the logits; F1 on dev "
        f"{verdict.f1:.1f} (fp32 {verdict.f1_fp32:.1f}); {verdict.disagreement:.2%} of "
        f"{verdict.words} words differ"
    )
    msg.good(f"Bundle in {out} ({size / 1e6:.1f} MB)")
