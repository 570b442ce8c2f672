"""Compare the speed and memory of `optical_ner` with other pipelines.

    python -m research.benchmarks.runtime_speed --teacher training/teacher --out metrics/runtime
    python -m research.benchmarks.runtime_speed --rival en_core_web_sm --fp32 bundles/student-fp32 …

The pipelines are `optical_ner` in int8 and, with --fp32, in fp32; with --teacher, the teacher in
torch with spacy-transformers and with Hugging Face's pipeline; with --rival, the `tok2vec` and
`ner` components of a spaCy pipeline; and a pipeline that does nothing. They are measured by
`spacy_optical.profiling`, with one thread and with two. The tables show the median and the
quartiles of the rounds.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import spacy

from spacy_optical.data.docs import read_docs
from spacy_optical.export.pipeline_folder import assemble
from spacy_optical.files import write_json, write_text
from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.schema import Estimate, Profile, ProfileReport
from spacy_optical.profiling.workload import Target
from spacy_optical.runtime.bundle import model_path

ARMS = Path(__file__).parent / "rivals.py"
OWN = "optical_ner int8"
LANGUAGES = ("sw", "ha", "en")
SENTENCE_WORDS = 25
LONG_WORDS = 20_000
BATCH = 64
# The components of a rival that are kept.
KEPT = {"tok2vec", "transformer", "ner"}


def arms(arguments: argparse.Namespace, folder: Path) -> Iterator[Target]:
    """Write each arm as a pipeline for `spacy.load`."""
    bundles = {OWN: arguments.bundle or model_path(), "optical_ner fp32": arguments.fp32}
    for name, bundle in bundles.items():
        if bundle is not None:
            path = folder / name.replace(" ", "-")
            assemble(bundle, path, name="benchmark", version="0")
            yield Target(name, str(path), "pipeline")
    if arguments.teacher is not None:
        from spacy_optical.export.reference_pipeline import reference_pipeline

        reference_pipeline(arguments.teacher, folder / "teacher")
        yield Target("teacher, torch", str(folder / "teacher"), "pipeline")
        nlp = spacy.blank("xx")
        config = {"model": str(arguments.teacher.resolve())}
        nlp.add_pipe("benchmark_hf_pipeline", config=config)
        nlp.to_disk(folder / "hf")
        yield Target("teacher, HF pipeline", str(folder / "hf"), "pipeline")
    for number, rival in enumerate(arguments.rival):
        nlp = spacy.load(rival)
        for name in set(nlp.component_names) - KEPT:
            nlp.remove_pipe(name)
        nlp.to_disk(folder / f"rival-{number}")
        name = f"{nlp.meta['lang']}_{nlp.meta['name']} NER only"
        yield Target(name, str(folder / f"rival-{number}"), "pipeline")
    nlp = spacy.blank("xx")
    nlp.add_pipe("benchmark_nothing")
    nlp.to_disk(folder / "nothing")
    yield Target("spacy.blank", str(folder / "nothing"), "pipeline")


def workloads(gold: Path, seed: int = 0) -> dict[str, list[str]]:
    """Make the texts: news, messages, sentences of the same length, one long document."""
    paths = [gold / f"{language}-test.spacy" for language in LANGUAGES]
    news = [[t.text for t in doc] for path in paths if path.exists() for doc in read_docs(path)]
    random.Random(seed).shuffle(news)
    words = [word for text in news for word in text]
    cuts = range(0, len(words) - SENTENCE_WORDS, SENTENCE_WORDS)
    repeated = (words * (LONG_WORDS // len(words) + 1))[:LONG_WORDS]
    return {
        "news": [" ".join(text) for text in news],
        "messages": [" ".join(text[:7]) for text in news],
        f"{SENTENCE_WORDS} words": [" ".join(words[at : at + SENTENCE_WORDS]) for at in cuts],
        f"{LONG_WORDS:,} words": [" ".join(repeated)],
    }


def ratio(own: Estimate, other: Estimate) -> str:
    """The median and the quartiles of the ratios of the rounds."""
    pairs = zip(own.samples, other.samples, strict=False)
    low, middle, high = np.percentile([above / below for above, below in pairs], [25, 50, 75])
    return f"{middle:.2f}× ({low:.2f}-{high:.2f})"


def rows(report: ProfileReport) -> Iterator[list[str]]:
    """A row of figures for each arm, with the ratios to `optical_ner`."""
    own = next(found for found in report.profiles if found.name == OWN)
    for found in report.profiles:
        yield [found.name, *_figures(found), *_ratios(own, found)]


HEADER = (
    *("arm", "words/s, batch 64", "p50 ms", "p95 ms", "p99 ms", "load ms", "above floor MB"),
    *("words/s of int8 to this", "p50 of this to int8's"),
)


def _figures(found: Profile) -> list[str]:
    latency, start, memory = found.latency, found.start, found.memory
    if latency is None or start is None or memory is None or not found.throughput:
        return ["-"] * 6
    return [
        f"{found.throughput[0].words_per_second.value:,.0f}",
        *(f"{one.value:.2f}" for one in (latency.p50_ms, latency.p95_ms, latency.p99_ms)),
        f"{start.load_seconds.value * 1e3:.0f}",
        f"{memory.above_floor_mb.value:.1f}",
    ]


def _ratios(own: Profile, found: Profile) -> list[str]:
    if own.latency is None or found.latency is None or not own.throughput or not found.throughput:
        return ["-"] * 2
    rates = (one.throughput[0].words_per_second for one in (own, found))
    return [ratio(*rates), ratio(found.latency.p50_ms, own.latency.p50_ms)]


def markdown(reports: dict[str, ProfileReport]) -> str:
    """Show all runs as tables."""
    parts = []
    for name, report in reports.items():
        lines = [HEADER, ("---",) * len(HEADER), *rows(report)]
        parts.append(f"**{name}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
    machine = next(iter(reports.values())).machine
    settings = next(iter(reports.values())).settings
    parts.append(
        f"{machine.cpu}, {machine.logical_cpus} CPUs; {settings.rounds} rounds of alternating "
        f"order, {settings.starts} fresh processes for load and memory. Medians; in brackets the "
        "quartiles of the rounds' ratios. The long document is a batch of its own. The floor is a "
        "process that imports spaCy, ONNX Runtime and tokenizers."
    )
    return "\n\n".join(parts) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and write `runtime.json` and `runtime.md`."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--bundle", type=Path, help="the int8 bundle [default: the model of the package]"
    )
    parser.add_argument("--fp32", type=Path, help="fp32 bundle of the same student")
    parser.add_argument("--teacher", type=Path, help="folder of the teacher")
    parser.add_argument(
        "--rival", action="append", default=[], help="a spaCy pipeline with `ner`; repeatable"
    )
    parser.add_argument(
        "--gold", type=Path, default=Path("corpus/gold"), help="gold folder of a corpus"
    )
    parser.add_argument("--out", type=Path, default=Path("metrics/runtime"), help="output folder")
    parser.add_argument("--threads", default="1,2", help="numbers of threads")
    parser.add_argument(
        "--only", action="append", help="a workload, e.g. news; repeatable [default: all]"
    )
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="seconds to measure each pipeline and workload"
    )
    parser.add_argument("--rounds", type=int, default=7, help="number of rounds")
    parser.add_argument("--starts", type=int, default=3, help="number of processes for memory")
    arguments = parser.parse_args(argv)
    spacy.util.import_file("rivals", ARMS)
    reports: dict[str, ProfileReport] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        targets = list(arms(arguments, folder))
        for threads in map(int, arguments.threads.split(",")):
            for name, texts in workloads(arguments.gold).items():
                if arguments.only and name not in arguments.only:
                    continue
                path = folder / "texts.jsonl"
                path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
                options = Options(
                    threads=threads,
                    seconds=arguments.seconds,
                    batch_sizes=(min(BATCH, len(texts)),),  # the long document once
                    rounds=arguments.rounds,
                    starts=arguments.starts,
                    code=ARMS,
                    baseline=OWN,
                )
                key = f"{name}, {threads} thread{'s' if threads > 1 else ''}"
                print(key)
                reports[key] = profile(targets, texts=path, options=options, say=print)
                # Keep the results so far if a later run fails.
                records = {one: report.model_dump() for one, report in reports.items()}
                write_json(arguments.out / "runtime.json", records)
                write_text(arguments.out / "runtime.md", markdown(reports))
    print(markdown(reports))


if __name__ == "__main__":
    main()
