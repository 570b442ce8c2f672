"""Copies of the evaluated bundles of arms, with names without fingerprints."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from spacy_optical.errors import Errors, OpticalError
from spacy_optical.runtime.bundle import Bundle

from .arm_metrics import ArmMetrics, read_arm


def collect_bundles(
    metrics: Path, students: Path, out: Path, *, names: Iterable[str], seed: int = 0
) -> list[Path]:
    """Copy the bundles of arms to folders with names that do not change.

    metrics (Path): Folder with the metrics files, `ARM-seedN.json`.
    students (Path): Folder with the students and their bundles, `ARM-seedN-FINGERPRINT-PRESET`.
    out (Path): Folder for the copies, `ARM-seedN`; earlier copies of the same names are replaced.
    names (Iterable[str]): The arms.
    seed (int): The students' seed.
    RETURNS (List[Path]): The copies, in the order of names.
    RAISES (OpticalError): If an arm has no metrics file or no complete bundle; nothing is copied
        then.
    """
    sources: dict[str, Path] = {}
    for name in names:
        run = read_arm(Path(metrics) / f"{name}-seed{seed}.json")
        source = Path(students) / _folder(run)
        if not run.preset or not source.is_dir():
            raise OpticalError(Errors.E002.format(what="bundle", path=source))
        Bundle.from_disk(source)
        sources[f"{run.arm}-seed{run.seed}"] = source
    copies = []
    for title, source in sources.items():
        copies.append(Path(out) / title)
        shutil.rmtree(copies[-1], ignore_errors=True)
        shutil.copytree(source, copies[-1])
    return copies


def _folder(run: ArmMetrics) -> str:
    return f"{run.arm}-seed{run.seed}-{run.fingerprint}-{run.preset}"
