"""Export a tagger to a bundle, if it passes the gate."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..data.docs import read_docs
from ..distill.tagger import METRICS, load_tagger
from ..distill.tagger_evaluation import check_labels
from ..encoders.folder import TOKENIZER
from ..errors import Errors, OpticalError
from ..files import check_replaceable, read_record
from ..runtime.bundle import INPUTS, LEAST_PIECES, MANIFEST_FILE, OUTPUT, Bundle, BundleInfo
from ..runtime.pieces import WordPieces
from .onnx import export_onnx
from .quantize import preset_named, quantize
from .tokenizer import compact
from .verify import Gate, Verdict, verify
from .weights import with_weights_apart

# The metrics of the training that the manifest contains.
_PROVENANCE = ("stage", "fingerprint", "seed", "config", "config_hash", "data", "versions")


def export_bundle(
    tagger_folder: str | Path,
    out: str | Path,
    gold: Mapping[str, str | Path],
    *,
    preset: str = "auto",
    gate: Gate | None = None,
    force: bool = False,
    max_pieces: int = 128,
    with_vectors: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Verdict:
    """Export a trained tagger, and write the bundle only if it passes the gate.

    tagger_folder (Union[str, Path]): The folder of a student or teacher.
    out (Union[str, Path]): The folder of the bundle.
    gold (Mapping[str, Union[str, Path]]): Development `.spacy` files by language.
    preset (str): `auto`, `fp32`, `int8` or `int8-vnni`.
    gate (Optional[Gate]): The maximum loss compared with fp32.
    force (bool): Also write a bundle that fails, marked as not verified.
    max_pieces (int): The maximum number of pieces in a window.
    with_vectors (bool): Also output word vectors, for `optical_tok2vec`.
    say (Callable[[str], None]): Called with a progress message at each step.
    RETURNS (Verdict): The results of the comparison.
    RAISES (OpticalError): If the model is incomplete, `max_pieces` is too small, the gold has a
        label that the model does not have, or the bundle fails the gate.
    """
    folder, out = Path(tagger_folder), Path(out)
    files = {language: Path(path) for language, path in gold.items()}
    name = preset_named(preset)
    if max_pieces < LEAST_PIECES:
        expected = f"at least {LEAST_PIECES}"
        raise OpticalError(
            Errors.E114.format(name="max_pieces", value=max_pieces, expected=expected)
        )
    check_replaceable(out, marker=MANIFEST_FILE)
    tagger = load_tagger(folder)
    docs = {language: read_docs(path) for language, path in files.items()}
    if not docs:
        raise OpticalError(Errors.E505)
    for language, part in docs.items():
        check_labels(part, tagger.labels, files[language])
    provenance, languages = {}, set(docs)
    if (folder / METRICS).is_file():
        metrics = read_record(folder / METRICS, dict[str, Any])
        provenance = {key: metrics[key] for key in _PROVENANCE if key in metrics}
    if data := provenance.get("config", {}).get("data"):
        # Not all training languages have gold.
        languages = {data["source"], *data["languages"]}
    info = BundleInfo(
        labels=tagger.labels,
        max_pieces=min(max_pieces, tagger.max_pieces),
        preset="fp32",
        vectors=tagger.model.config.hidden_size if with_vectors else 0,
        inputs=INPUTS,
        output=OUTPUT,
        provenance=provenance,
        metrics={},
        languages=tuple(sorted(languages)),
    )
    say(f"Tracing {folder}")
    tokenizer = compact((folder / TOKENIZER).read_bytes())
    suffix = len(WordPieces(tokenizer).suffix)
    fp32 = Bundle(info, export_onnx(tagger, suffix, with_vectors=with_vectors), tokenizer)
    say(f"Making the {name} model")
    small = Bundle(replace(info, preset=name), quantize(fp32.model, name), fp32.tokenizer)
    verdict = verify(tagger, fp32, small, docs)
    if refusal := (gate or Gate()).refusal(verdict, out):
        if not force:
            raise OpticalError(refusal)
        say(f"Written anyway: {refusal}")
    info = replace(small.info, metrics={"gate": verdict.record()}, verified=not refusal)
    with_weights_apart(replace(small, info=info)).to_disk(out)
    return verdict
