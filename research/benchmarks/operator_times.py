"""Measure the time of each operator of a model, and the time outside of ONNX Runtime.

    python -m research.benchmarks.operator_times [--bundle FOLDER] [--pieces 26]

Prints two Markdown tables: the operators of the graph for one window of a given length, from the
profiler of ONNX Runtime, and the share of time outside of ONNX Runtime for a batch of 64 sentences.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import spacy

from spacy_optical.compat import require_onnxruntime
from spacy_optical.runtime.bundle import INPUTS, OUTPUT, Bundle, model_path
from spacy_optical.runtime.session import Runtime
from spacy_optical.runtime.shared import SLOWER, session_options

from .runtime_speed import workloads

RUNS = 300
LEAST_SHARE = 0.01


def operators(bundle: Bundle, n_pieces: int) -> dict[str, float]:
    """Measure the time of each operator type in a run, in microseconds."""
    onnxruntime = require_onnxruntime()
    options = session_options(1, weights=bundle.where)
    options.enable_profiling = True
    session = onnxruntime.InferenceSession(
        bundle.model,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=SLOWER,
    )
    pieces = np.random.default_rng(0).integers(5, 500, size=(1, n_pieces))
    inputs = (pieces, np.ones_like(pieces), np.arange(1, n_pieces - 1, 2)[None])
    for _ in range(RUNS):
        session.run([OUTPUT], dict(zip(INPUTS, inputs, strict=True)))
    path = Path(session.end_profiling())
    events = json.loads(path.read_text())
    path.unlink()
    found: dict[str, float] = defaultdict(float)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            found[event["args"]["op_name"]] += event["dur"] / RUNS
    return dict(found)


def shares(bundle: Path, texts: list[str]) -> dict[str, float]:
    """Measure the shares of the time of `nlp.pipe` in batches of 64."""
    nlp = spacy.blank("xx")
    runtime: Runtime = nlp.add_pipe("optical_ner", config={"model": str(bundle)}).runtime
    spent: dict[str, float] = defaultdict(float)
    session = runtime.session

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                spent[name] += time.perf_counter() - begun

        return run

    wrapped = mock.Mock(run=timed("ONNX Runtime", session.run))
    list(nlp.pipe(texts, batch_size=64))
    component = nlp.get_pipe("optical_ner")
    with mock.patch.object(Runtime, "session", wrapped):
        nlp.tokenizer = timed("spaCy's tokenizer", nlp.tokenizer)
        component.set_annotations = timed("writing entities", component.set_annotations)
        begun = time.perf_counter()
        list(nlp.pipe(texts, batch_size=64))
        whole = time.perf_counter() - begun
    spent["pieces, batches, decoding"] = whole - sum(spent.values())
    return {name: seconds / whole for name, seconds in spent.items()}


def table(header: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    """Write a Markdown table of two columns."""
    return "\n".join(f"| {one} | {two} |" for one, two in [header, ("---", "---:"), *rows]) + "\n"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", type=Path, help="a bundle [default: the model of the package]")
    parser.add_argument(
        "--gold", type=Path, default=Path("corpus/gold"), help="gold folder of a corpus"
    )
    parser.add_argument("--pieces", type=int, default=26, help="length of the window")
    arguments = parser.parse_args()
    path = arguments.bundle or model_path()
    found = operators(Bundle.from_disk(path), arguments.pieces)
    whole = sum(found.values())
    ordered = sorted(found.items(), key=lambda pair: -pair[1])
    rows = [(name, f"{us / whole:.1%}") for name, us in ordered if us / whole >= LEAST_SHARE]
    rest = sum(us for _, us in ordered if us / whole < LEAST_SHARE)
    rows += [("all others", f"{rest / whole:.1%}"), ("total, µs", f"{whole:,.0f}")]
    print(table((f"operator, {arguments.pieces} pieces", "share"), rows))
    parts = shares(path, workloads(arguments.gold)["news"][:640])
    print(table(("news, batches of 64", "share"), [(k, f"{v:.1%}") for k, v in parts.items()]))


if __name__ == "__main__":
    main()
