"""The training loop that teacher and student share: seeded, resumable, visible."""

import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from accelerate.utils import broadcast, gather_object, set_seed
from tqdm import tqdm
from transformers import get_linear_schedule_with_warmup

from ..errors import Errors, OpticalError
from ..files import written_whole
from ..runtime.pieces import WordPieces
from .config import Training
from .distributed import add_up, launched_in_vain, on_main, world
from .sentences import Sentence
from .tagger import WordTagger

CHECKPOINT = "checkpoint.pt"
POOL = 16  # batches that are sorted together; more means less padding and less randomness
Losses = dict[str, torch.Tensor]


class TrainingTask(Protocol):
    """What one kind of training adds to the loop."""

    def batches(self, rng: np.random.Generator) -> Sequence[Any]:
        """Give one epoch's batches, in an order drawn from `rng`."""

    def losses(self, tagger: WordTagger, batch: Any) -> Losses:
        """Give the weighted parts of a batch's loss by name."""

    def split(self, batch: Any, count: int) -> list[tuple[Any, float]]:
        """Give at most `count` parts of a batch, none empty, and each one's share of the loss."""


@dataclass
class History:
    """One row an epoch, and which epoch was kept."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best: int = -1


def train(
    tagger: WordTagger,
    task: TrainingTask,
    settings: Training,
    *,
    seed: int,
    fingerprint: str,
    folder: Path,
    evaluate: Callable[[WordTagger], float],
    patience: int | None = None,
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> History:
    """Train a tagger in place, in as many processes as were launched.

    tagger (WordTagger): The tagger; afterwards it has the weights of the chosen epoch.
    task (TrainingTask): Batches and losses.
    settings (Training): Epochs, learning rate and the like.
    seed (int): Seed of weights, order and dropout.
    fingerprint (str): What the checkpoint must have been made with.
    folder (Path): Where the checkpoint is kept, written after every epoch.
    evaluate (Callable[[WordTagger], float]): Gives the F1 on English dev that chooses the epoch;
        called in the main process.
    patience (Optional[int]): Epochs after the best one after which training stops.
    resume (bool): Continue from the checkpoint where there is one, to the result that an
        uninterrupted run gives.
    say (Callable[[str], None]): Receives a line for each epoch.
    RETURNS (History): Losses and dev F1 by epoch.
    RAISES (OpticalError): If the checkpoint was made with another config or number of processes,
        or the loss is not a number.
    """
    here = world()
    if launched_in_vain():
        say("accelerate started one process: --cpu needs mpirun for several, --multi_gpu does not")
    tagger.to(here.device)
    tagger.set_dropout(settings.dropout)
    tagger.set_precision(settings.precision)
    trained = {n: p for n, p in tagger.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(_groups(trained, settings), lr=settings.learning_rate, fused=True)
    steps = len(task.batches(_order(seed, 0))) * settings.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, int(steps * settings.warmup), steps)
    with torch.no_grad():
        broadcast(list(trained.values()))  # in place
    history = History()
    chosen: dict[str, torch.Tensor] = {}
    parts = {"optimizer": optimizer, "schedule": schedule}
    path = Path(folder) / CHECKPOINT
    if resume and path.is_file():
        history, chosen = _load(path, fingerprint, trained, parts)
        say(f"Continuing after epoch {len(history.rows)} of {settings.epochs}")
    for epoch in range(len(history.rows), settings.epochs):
        if patience is not None and epoch > history.best + patience:
            say(f"No better F1 for {patience} epochs")
            break
        set_seed(_seed(seed, epoch, here.process_index))  # of dropout; the order has its own
        tagger.train()
        sums: dict[str, float] = defaultdict(float)
        batches = task.batches(_order(seed, epoch))
        bar = tqdm(
            batches,
            desc=f"epoch {epoch + 1}/{settings.epochs}",
            leave=False,
            mininterval=2,
            disable=not here.is_main_process,
        )
        for batch in bar:
            loss = torch.zeros((), device=here.device)
            for part, share in _own_part(task, batch):
                terms = task.losses(tagger, part)
                loss = share * torch.stack(list(terms.values())).sum()
                loss.backward()
                for name, value in terms.items():
                    sums[name] += share * float(value.detach())
            loss = add_up(list(trained.values()), loss.detach())
            if not torch.isfinite(loss):  # the whole loss, so that all processes stop
                raise OpticalError(Errors.E408.format(epoch=epoch + 1))
            torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            bar.set_postfix({"loss": f"{float(loss):.3f}"}, refresh=False)
        row = {name: total / len(batches) for name, total in _added(gather_object([sums])).items()}
        row["dev_f1"] = on_main(lambda: evaluate(tagger))
        history.rows.append(row)
        # A later epoch wins a tie: the dev set is small and the learning rate has come down.
        if settings.select == "last" or row["dev_f1"] >= history.rows[history.best]["dev_f1"]:
            history.best = epoch
            chosen = {name: weight.detach().clone() for name, weight in trained.items()}
        state = {
            "fingerprint": fingerprint,
            "weights": {name: weight.detach() for name, weight in trained.items()},
            "processes": here.num_processes,
            "rows": history.rows,
            "best": history.best,
            "chosen": chosen,
        }
        state |= {name: part.state_dict() for name, part in parts.items()}
        on_main(partial(_save, path, state))
        values = "  ".join(f"{name} {value:.3f}" for name, value in row.items())
        say(f"epoch {epoch + 1:>2}  {values}")
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(chosen[name])
    return history


def by_length(
    lengths: Sequence[int] | np.ndarray, size: int, rng: np.random.Generator
) -> list[list[int]]:
    """Put sentences of like length into one batch, in random order otherwise.

    lengths (Union[Sequence[int], ndarray]): Pieces by sentence.
    size (int): Sentences a batch.
    rng (Generator): Draws the order.
    RETURNS (List[List[int]]): Sentence numbers by batch.
    """
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * POOL):
        part = sorted(order[start : start + size * POOL], key=lambda i: lengths[i])
        batches += [[int(i) for i in part[at : at + size]] for at in range(0, len(part), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


class SentenceTask:
    """Batches of sentences. What is learned of them is left to the kind of training.

    sentences (Sequence[Sentence]): The sentences.
    pieces (WordPieces): The tokenizer.
    batch_size (int): Sentences in a batch.
    """

    def __init__(self, sentences: Sequence[Sentence], pieces: WordPieces, batch_size: int) -> None:
        self.sentences, self.pieces, self.batch_size = sentences, pieces, batch_size

    def batches(self, rng: np.random.Generator) -> list[list[int]]:
        """Give the numbers of an epoch's sentences."""
        return by_length([len(s) for s in self.sentences], self.batch_size, rng)

    def split(self, batch: list[int], count: int) -> list[tuple[list[int], float]]:
        """Deal out the sentences in turn; a part counts by its words, as the mean does."""
        parts = [batch[at::count] for at in range(min(count, len(batch)))]
        words = [sum(len(self.sentences[i].words) for i in part) for part in parts]
        return [(part, n / sum(words)) for part, n in zip(parts, words, strict=True)]


def _own_part(task: TrainingTask, batch: Any) -> list[tuple[Any, float]]:
    """Give this process's part of a batch and its share of the loss; nothing if all are taken."""
    here = world()
    if here.num_processes == 1:
        return [(batch, 1.0)]
    return task.split(batch, here.num_processes)[here.process_index :][:1]


def _added(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: sum(row.get(name, 0.0) for row in rows) for name in dict.fromkeys(chain(*rows))}


def _order(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _groups(trained: dict[str, torch.nn.Parameter], settings: Training) -> list[dict[str, Any]]:
    """Spare biases and layer norms the weight decay, as BERT's own training does."""
    decayed = [p for p in trained.values() if p.ndim > 1]
    spared = [p for p in trained.values() if p.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]


def _save(path: Path, state: dict[str, Any]) -> None:
    content = io.BytesIO()  # straight to a full disk, torch hides the system's error
    torch.save(state, content)
    with written_whole(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _load(
    path: Path, fingerprint: str, trained: dict[str, torch.nn.Parameter], parts: dict[str, Any]
) -> tuple[History, dict[str, torch.Tensor]]:
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as err:  # torch's errors on a damaged file have no common class
        raise OpticalError(Errors.E205.format(path=path, reason=str(err)[:100])) from err
    if state["fingerprint"] != fingerprint:
        raise OpticalError(Errors.E403.format(path=path))
    then, now = state["processes"], world().num_processes
    if then != now:
        raise OpticalError(Errors.E418.format(path=path, then=then, now=now))
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(state["weights"][name])
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return History(state["rows"], state["best"]), state["chosen"]
