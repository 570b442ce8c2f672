"""Check the profiler on pipelines with known differences.

    python -m research.benchmarks.profile_checks --out docs/results/profiling-checks.json

A pipeline is compared with itself, in one run and in two; with a pipeline that sleeps 20 % longer,
which `--compare` must report; with one that sleeps 2 % longer, which it must accept; and with one
that holds 100 MB more. This takes some minutes. The output is kept in the repository.
"""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import spacy

from spacy_optical.files import write_json
from spacy_optical.profiling.compare import compare
from spacy_optical.profiling.machine_load import MachineWatch
from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.schema import Estimate, ProfileReport
from spacy_optical.profiling.workload import Target

from . import known_costs

CODE = Path(known_costs.__file__)
TEXTS = "Nairobi\nJuma alirudi Kisumu mwezi wa Juni\nWaziri Amina Juma alitembelea Mbeya\n"
SLEEP_MS = 20.0
HELD_MB = 100
# The maximum difference in memory between fresh processes of a pipeline.
MOST_OFF_MB = 5


def pipeline(folder: Path, **components_config: dict[str, Any]) -> Target:
    """Write a pipeline with an entity ruler and these components."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Nairobi"}])
    for name, config in components_config.items():
        nlp.add_pipe(name, config=config)
    folder.mkdir(parents=True)
    nlp.to_disk(folder)
    return Target.parse(f"{folder.parent.name}={folder}")


def run(targets: list[Target], texts: Path, seconds: float, **settings: Any) -> ProfileReport:
    """Profile the targets, with the components of `known_costs`."""
    options = Options(seconds=seconds, batch_sizes=(8,), code=CODE, **settings)
    return profile(targets, texts=texts, options=options, say=lambda text: print(text, flush=True))


def itself(texts: Path, seconds: float) -> list[dict[str, Any]]:
    """Compare the default bundle with itself, in one run and in another run."""
    targets = [Target.parse("one=optical_ner"), Target.parse("other=optical_ner")]
    first = run(targets, texts, seconds, baseline="one")
    second = run(targets, texts, seconds, baseline="one")
    found = []
    for number, report in enumerate((first, second), 1):
        ratios = report.profiles[1].ratios
        assert ratios is not None
        pairs = {"p50": ratios.p50, "peak RSS": ratios.peak_rss, **ratios.words_per_second}
        for name, ratio in pairs.items():
            assert ratio is not None
            found.append(
                {
                    "check": f"against itself, run {number}, {name if name != 8 else 'batch 8'}",
                    "expected": "the interval holds 1",
                    "found": interval(ratio),
                    "passed": ratio.low <= 1 <= ratio.high,
                }
            )
    for change in compare(first, second):
        found.append(
            {
                "check": f"two runs, {change.pipeline}, {change.metric}",
                "expected": "no regression",
                "found": interval(change.worse),
                "passed": not change.regressed,
            }
        )
    return found


def sleeps(folder: Path, texts: Path, seconds: float) -> list[dict[str, Any]]:
    """Compare a pipeline with pipelines that sleep longer."""
    reports = {}
    for more in (0, 2, 20):
        target = pipeline(
            folder / f"sleep-{more}" / "sleeper",
            sleeper={"milliseconds": SLEEP_MS * (1 + more / 100)},
        )
        # The same name in all three runs, so that they are compared.
        reports[more] = run([Target("sleeper", target.path, "pipeline")], texts, seconds, starts=1)
    found = []
    for more, expected in ((2, False), (20, True)):
        changes = compare(reports[0], reports[more])
        for change in (one for one in changes if one.metric.startswith(("p50", "words/s"))):
            found.append(
                {
                    "check": f"{more} % more sleep, {change.metric}",
                    "expected": "flagged" if expected else "let pass",
                    "found": interval(change.worse),
                    "passed": change.regressed is expected,
                }
            )
    return found


def holds(folder: Path, texts: Path) -> dict[str, Any]:
    """Compare a pipeline with one that holds 100 MB."""
    targets = [
        pipeline(folder / name / "holder", holder={"megabytes": megabytes})
        for name, megabytes in (("light", 0), ("heavy", HELD_MB))
    ]
    light, heavy = (found.memory for found in run(targets, texts, 0.5, rounds=1).profiles)
    assert light is not None
    assert heavy is not None
    more = heavy.peak_rss_mb.value - light.peak_rss_mb.value
    return {
        "check": f"{HELD_MB} MB held",
        "expected": f"{HELD_MB} ± {MOST_OFF_MB} MB",
        "found": f"{more:.1f} MB",
        "passed": abs(more - HELD_MB) <= MOST_OFF_MB,
    }


def interval(value: Estimate) -> str:
    """Write a ratio with its interval."""
    return f"{value.value:.3f} [{value.low:.3f} to {value.high:.3f}]"


def main() -> None:
    """Run all checks; exit 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="seconds to measure each pipeline"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("docs/results/profiling-checks.json"), help="output file"
    )
    arguments = parser.parse_args()
    watch = MachineWatch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = folder / "texts.txt"
        texts.write_text(TEXTS, encoding="utf8")
        checks = [
            *itself(texts, arguments.seconds),
            *sleeps(folder, texts, arguments.seconds),
            holds(folder, texts),
        ]
    machine = watch.describe()
    for check in checks:
        print("ok  " if check["passed"] else "FAIL", check["check"], "·", check["found"])
    write_json(
        arguments.out,
        {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{machine.cpu}, {machine.logical_cpus} CPUs, {machine.system}",
            "load": [machine.load_before, machine.load_after],
            "seconds": arguments.seconds,
            "checks": checks,
        },
    )
    sys.exit(0 if all(check["passed"] for check in checks) else 1)


if __name__ == "__main__":
    main()
