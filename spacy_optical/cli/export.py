"""`python -m spacy optical export`"""

import typer
from wasabi import msg

from ._app import command, gold_of
from ._options import BundleFolder, Force, Gold, GoldDev, Preset, TrainedModel


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
