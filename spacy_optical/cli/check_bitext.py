"""`python -m spacy optical check-bitext`"""

from pathlib import Path

import typer
from wasabi import msg

from ..errors import Errors, OpticalError
from ._app import command
from ._options import BitextFormat, Keys, Unescape


@command("check-bitext")
def check_bitext_cli(
    files: list[Path] = typer.Argument(
        ..., help="JSON lines, TSV, TMX or stems of Moses files; with --format moses both files"
    ),
    encoder: Path | None = typer.Option(
        None, "--encoder", "-e", help="Folder of the encoder [default: only check the texts]"
    ),
    languages: tuple[str, str] = typer.Option(
        ("en", "xx"), "--languages", "-l", help="Source and target language"
    ),
    keys: Keys = "",
    format: BitextFormat = None,
    unescape: Unescape = False,
    repair: Path | None = typer.Option(
        None, help="Output folder for the remaining pairs, realigned in shifted blocks"
    ),
    html: Path | None = typer.Option(None, help="HTML file to write, with a picture"),
) -> None:
    """Find pairs of bitext that are not translations, and blocks of shifted lines.

    Example: python -m spacy optical check-bitext all.en-so.tmx.zip --languages en so
    --encoder assets/encoder --repair checked --html so.html
    """
    from ..data.bitext import named_keys
    from ..files import write_text
    from ..projection.bitext_faults import FAULTS, PAIRS, check_bitext
    from ..projection.bitext_picture import bitext_html

    if html is not None and encoder is None:
        raise OpticalError(Errors.E248)
    checked = check_bitext(
        files,
        encoder=encoder,
        source_lang=languages[0],
        target_lang=languages[1],
        keys=named_keys(keys),
        format=format,
        unescape=unescape,
        repair=repair,
        say=msg.info,
    )
    for found in checked:
        rows = [
            ("pairs", found.pairs, found.path),
            *((code, n, "lines that cannot be read") for code, n in found.skipped.items()),
            *((k, found.faults[k], what) for k, what in FAULTS.items() if k in found.faults),
            ("kept", found.kept, ""),
            ("matched again", found.matched, ""),
            ("dropped", found.dropped, ""),
        ]
        msg.table(rows, header=("", "Pairs", ""), divider=True, aligns=("l", "r", "l"))
        blocks = []
        for block in found.blocks:
            lines = f"{block['start']} to {block['end']}"
            offset = "" if block["offset"] is None else f"{block['offset']:+d}"
            blocks.append((lines, block["kind"], offset, block["matched"]))
        if blocks:
            header = ("Block", "Fault", "Offset", "Matched")
            msg.table(blocks, header=header, divider=True, aligns=("l", "l", "r", "r"))
    if html is not None:
        write_text(html, bitext_html(checked))
        msg.good(f"Picture in {html}")
    if repair is not None:
        msg.good(f"Pairs in {repair / PAIRS}")
