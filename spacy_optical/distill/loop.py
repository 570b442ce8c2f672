"""The training loop that teacher and student share: seeded, resumable, visible."""

import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from tqdm import tqdm
from transformers import get_linear_schedule_with_warmup

from ..errors import Errors, OpticalError
from ..files import written_whole
from .config import Training
from .tagger import WordTagger

CHECKPOINT = "checkpoint.pt"
Losses = dict[str, torch.Tensor]


class Recipe(Protocol):
    """What one kind of training adds to the loop."""

    def batches(self, chance: np.random.Generator) -> Sequence[Any]:
        """Give one epoch's batches, in an order drawn from `chance`."""

    def losses(self, tagger: WordTagger, batch: Any) -> Losses:
        """Give the weighted parts of a batch's loss by name."""


@dataclass
class History:
    """One row an epoch, and which epoch was kept."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best: int = -1


def train(
    tagger: WordTagger,
    recipe: Recipe,
    settings: Training,
    *,
    seed: int,
    fingerprint: str,
    folder: Path,
    judge: Callable[[WordTagger], float],
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> History:
    """Train a tagger in place.

    tagger (WordTagger): The tagger; afterwards it has the weights of the chosen epoch.
    recipe (Recipe): Batches and losses.
    settings (Training): Epochs, learning rate and the like.
    seed (int): Seed of weights, order and dropout.
    fingerprint (str): What the checkpoint must have been made with.
    folder (Path): Where the checkpoint is kept, written after every epoch.
    judge (Callable[[WordTagger], float]): F1 on English dev, which chooses the epoch.
    resume (bool): Continue from the checkpoint where there is one, to the result that an
        uninterrupted run gives.
    say (Callable[[str], None]): Told one line an epoch.
    RETURNS (History): Losses and dev F1 by epoch.
    RAISES (OpticalError): If the checkpoint was made with another config, or the loss is not a
        number.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    set_seed(seed)
    tagger.set_dropout(settings.dropout)
    tagger.set_precision(settings.precision)
    accelerator = Accelerator()
    trained = {n: p for n, p in tagger.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(_groups(trained, settings), lr=settings.learning_rate, fused=True)
    steps = len(recipe.batches(_order(seed, 0))) * settings.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, int(steps * settings.warmup), steps)
    model, optimizer, schedule = accelerator.prepare(tagger, optimizer, schedule)
    history = History()
    chosen: dict[str, torch.Tensor] = {}
    path = Path(folder) / CHECKPOINT
    if resume and path.is_file():
        history, chosen = _load(path, fingerprint, trained, optimizer, schedule)
        say(f"Continuing after epoch {len(history.rows)} of {settings.epochs}")
    for epoch in range(len(history.rows), settings.epochs):
        model.train()
        sums: dict[str, float] = defaultdict(float)
        batches = recipe.batches(_order(seed, epoch))
        bar = tqdm(batches, desc=f"epoch {epoch + 1}/{settings.epochs}", leave=False, mininterval=2)
        for batch in bar:
            parts = recipe.losses(model, batch)
            loss = torch.stack(list(parts.values())).sum()
            if not torch.isfinite(loss):
                raise OpticalError(Errors.E408.format(epoch=epoch + 1))
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(trained.values(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            for name, part in parts.items():
                sums[name] += float(part.detach())
            bar.set_postfix({"loss": f"{float(loss.detach()):.3f}"}, refresh=False)
        row = {name: total / len(batches) for name, total in sums.items()}
        row["dev_f1"] = judge(tagger)
        history.rows.append(row)
        # A later epoch wins a tie: the dev set is small and the learning rate has come down.
        if settings.select == "last" or row["dev_f1"] >= history.rows[history.best]["dev_f1"]:
            history.best = epoch
            chosen = {name: weight.detach().clone() for name, weight in trained.items()}
        _save(path, fingerprint, trained, optimizer, schedule, history, chosen)
        told = "  ".join(f"{name} {value:.3f}" for name, value in row.items())
        say(f"epoch {epoch + 1:>2}  {told}")
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(chosen[name])
    return history


def by_length(
    lengths: Sequence[int] | np.ndarray, size: int, chance: np.random.Generator, *, pool: int = 16
) -> list[list[int]]:
    """Put sentences of like length into one batch, in random order otherwise.

    lengths (Union[Sequence[int], ndarray]): Pieces by sentence.
    size (int): Sentences a batch.
    chance (Generator): The order's source.
    pool (int): Batches that are sorted together; more means less padding and less chance.
    RETURNS (List[List[int]]): Sentence numbers by batch.
    """
    order = chance.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * pool):
        part = sorted(order[start : start + size * pool], key=lambda i: lengths[i])
        batches += [[int(i) for i in part[at : at + size]] for at in range(0, len(part), size)]
    return [batches[i] for i in chance.permutation(len(batches))]


def _order(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])


def _groups(trained: dict[str, torch.nn.Parameter], settings: Training) -> list[dict[str, Any]]:
    """Spare biases and layer norms the weight decay, as BERT's own training does."""
    decayed = [p for p in trained.values() if p.ndim > 1]
    spared = [p for p in trained.values() if p.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]


def _save(
    path: Path,
    fingerprint: str,
    trained: dict[str, torch.nn.Parameter],
    optimizer: Any,
    schedule: Any,
    history: History,
    chosen: dict[str, torch.Tensor],
) -> None:
    state = {
        "fingerprint": fingerprint,
        "weights": {name: weight.detach() for name, weight in trained.items()},
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "random": torch.get_rng_state(),
        "rows": history.rows,
        "best": history.best,
        "chosen": chosen,
    }
    content = io.BytesIO()  # straight to a full disk, torch hides the system's error
    torch.save(state, content)
    with written_whole(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _load(
    path: Path,
    fingerprint: str,
    trained: dict[str, torch.nn.Parameter],
    optimizer: Any,
    schedule: Any,
) -> tuple[History, dict[str, torch.Tensor]]:
    try:
        state = torch.load(path, weights_only=True)
    except Exception as err:  # torch's errors on a damaged file have no common class
        raise OpticalError(Errors.E205.format(path=path, reason=str(err)[:100])) from err
    if state["fingerprint"] != fingerprint:
        raise OpticalError(Errors.E403.format(path=path))
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(state["weights"][name])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["random"])
    return History(state["rows"], state["best"]), state["chosen"]
