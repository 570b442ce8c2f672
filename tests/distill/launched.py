"""What two processes do in test_launch.py: python launched.py CONFIG TEACHER FOLDER.

The main process writes what happened as FOLDER/seen.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object

from spacy_optical.cli import optical_cli
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.distillation import distill
from spacy_optical.distill.distributed import on_main, world
from spacy_optical.distill.loop import CHECKPOINT
from spacy_optical.distill.teacher import teach
from spacy_optical.distill.training_batches import StudentTask
from spacy_optical.errors import Errors, OpticalError

# Nothing that is drawn by process, no rounding to 8 bits.
STILL = {
    "teacher.epochs": 3,
    "teacher.dropout": 0.0,
    "teacher.precision": "fp32",
    "training.epochs": 3,
    "training.dropout": 0.0,
    "training.precision": "fp32",
}


def rates_into(rates: list[float], checkpoint: Path, stop_after: int = 0):
    def say(text: str) -> None:
        if text.startswith("epoch"):
            rates.append(torch.load(checkpoint, weights_only=True)["schedule"]["_last_lr"][0])
        if text.startswith(f"epoch {stop_after:>2}"):
            raise KeyboardInterrupt

    return say


def resumed(config: DistillConfig, teacher: Path, folder: Path) -> dict[str, Any]:
    """An epoch, an interrupt, the rest; dropout differs by process, and must be as before."""
    try:
        distill(config, teacher, folder, say=rates_into([], checkpoint_of(folder), stop_after=1))
    except KeyboardInterrupt:
        return distill(config, teacher, folder, resume=True)
    raise AssertionError("was not interrupted")


def checkpoint_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-checkpoint") / CHECKPOINT


def message_of(work: Any) -> str:
    try:
        work()
    except OpticalError as err:
        return str(err)
    return "no error"


def refuse() -> None:
    raise OpticalError(Errors.E404.format(kind="Toy"))


def one_loss_not_a_number(config: DistillConfig, teacher: Path, folder: Path) -> str:
    losses = StudentTask.losses
    factor = float("nan") if world().process_index else 1.0

    def spoiled(*args: Any) -> Any:
        return {name: factor * value for name, value in losses(*args).items()}

    StudentTask.losses = spoiled  # type: ignore[method-assign]
    try:
        return message_of(lambda: distill(config, teacher, folder))
    finally:
        StudentTask.losses = losses  # type: ignore[method-assign]


def main(config_path: Path, teacher: Path, folder: Path) -> None:
    config = load_config(config_path, STILL)
    # The middle layer alone: the classifier and the layers above get no gradient.
    terms = dict.fromkeys(("hard", "soft", "target_kd", "hidden", "labels"), 0.0)
    middle = {f"objective.{name}": value for name, value in terms.items()} | {"training.epochs": 1}
    rates: list[float] = []
    seen: dict[str, Any] = {
        "teacher": teach(config, folder / "teacher")["epochs"],
        "student": distill(
            config,
            teacher,
            folder / "student",
            say=rates_into(rates, checkpoint_of(folder / "student")),
        )["epochs"],
        "middle": distill(load_config(config_path, STILL | middle), teacher, folder / "middle")[
            "epochs"
        ],
        "rates": rates,
    }
    hidden = {"training.dropout": 0.1, "training.word_dropout": 0.2, "training.epochs": 2}
    dropped = load_config(config_path, hidden)
    seen["whole"] = distill(dropped, teacher, folder / "whole")["epochs"]
    seen["parts"] = resumed(dropped, teacher, folder / "parts")["epochs"]
    seen["draws"] = gather_object([float(torch.rand(()))])
    seen["not a number"] = gather_object(
        [one_loss_not_a_number(config, teacher, folder / "spoiled")]
    )
    seen["refused"] = gather_object([message_of(lambda: on_main(refuse))])
    on_main(lambda: (folder / "seen.json").write_text(json.dumps(seen), encoding="utf8"))
    command = ["distill", str(config_path), str(teacher), str(folder / "told")]
    optical_cli([*command, "--training.epochs", "1"], standalone_mode=False)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
