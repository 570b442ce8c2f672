"""The training loop of teacher and student."""

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
from .distributed import add_up, launched_without_mpirun, on_main, world
from .sentences import Sentence
from .tagger import WordTagger

CHECKPOINT = "checkpoint.pt"
POOL = 16  # batches that are sorted by length together; more means less padding and less randomness
Losses = dict[str, torch.Tensor]


class TrainingTask(Protocol):
    """The batches and losses of one kind of training."""

    def batches(self, rng: np.random.Generator) -> Sequence[Any]:
        """Get the batches of one epoch, in an order drawn from `rng`."""

    def losses(self, tagger: WordTagger, batch: Any) -> Losses:
        """Compute the weighted losses of a batch by name."""

    def split(self, batch: Any, count: int) -> list[tuple[Any, float]]:
        """Split a batch into at most `count` parts, none empty, with their shares of the loss."""


@dataclass
class History:
    """Losses and dev F1 of each epoch, and the number of the chosen epoch, counted from 0."""

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
    measure: str = "dev_f1",
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> History:
    """Train a tagger in place, in all processes that were launched.

    tagger (WordTagger): The tagger. It gets the weights of the chosen epoch.
    task (TrainingTask): Batches and losses.
    settings (Training): Epochs, learning rate and other settings.
    seed (int): Seed of order and dropout.
    fingerprint (str): Identifies the config and data. It must match that of the checkpoint.
    folder (Path): Folder of the checkpoint, which is written after each epoch.
    evaluate (Callable[[WordTagger], float]): Computes the dev F1 that chooses the epoch. Called
        in the main process.
    patience (Optional[int]): Number of epochs without a better F1 after which training stops.
    measure (str): The name of what `evaluate` returns. If less is better, `settings.select` must be
        `last`.
    resume (bool): Continue from the checkpoint, if there is one. The result is the same as that of
        an uninterrupted run.
    say (Callable[[str], None]): Receives a line for each epoch.
    RETURNS (History): Losses and dev F1 by epoch.
    RAISES (OpticalError): If the checkpoint was made with another config or number of processes,
        or the loss is not a number.
    """
    here = world()
    if launched_without_mpirun():
        say("accelerate started one process: --cpu needs mpirun for several, --multi_gpu does not")
    tagger.to(here.device)
    tagger.set_dropout(settings.dropout)
    tagger.set_precision(settings.precision)
    trained = {n: p for n, p in tagger.named_parameters() if p.requires_grad}
    matrices = [p for p in trained.values() if p.ndim > 1]
    others = [p for p in trained.values() if p.ndim <= 1]  # biases and layer norms, as in BERT
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
    steps = len(task.batches(np.random.default_rng([seed, 0]))) * settings.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, int(steps * settings.warmup), steps)
    with torch.no_grad():
        broadcast(list(trained.values()))  # in place
    history = History()
    chosen: dict[str, torch.Tensor] = {}
    stateful = {"optimizer": optimizer, "schedule": schedule}
    path = Path(folder) / CHECKPOINT
    if resume and path.is_file():
        history, chosen = _load(path, fingerprint, trained, stateful)
        say(f"Continuing after epoch {len(history.rows)} of {settings.epochs}")
    for epoch in range(len(history.rows), settings.epochs):
        if patience is not None and epoch > history.best + patience:
            say(f"No better F1 for {patience} epochs")
            break
        # The seed of dropout differs by process, that of the order does not.
        dropout_seed = np.random.SeedSequence((seed, epoch, here.process_index))
        set_seed(int(dropout_seed.generate_state(1)[0]))
        tagger.train()
        sums: dict[str, float] = defaultdict(float)
        batches = task.batches(np.random.default_rng([seed, epoch]))
        bar = tqdm(
            batches,
            desc=f"epoch {epoch + 1}/{settings.epochs}",
            leave=False,
            mininterval=2,
            disable=not here.is_main_process,
        )
        for batch in bar:
            loss = torch.zeros((), device=here.device)
            parts = [(batch, 1.0)]
            if here.num_processes > 1:  # this process's part; none if all are taken
                parts = task.split(batch, here.num_processes)[here.process_index :][:1]
            for part, share in parts:
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
        gathered = gather_object([sums])
        row = {
            name: sum(one.get(name, 0.0) for one in gathered) / len(batches)
            for name in dict.fromkeys(chain(*gathered))
        }
        row[measure] = on_main(lambda: evaluate(tagger))
        history.rows.append(row)
        # The later epoch wins a tie: the dev set is small, the learning rate has decayed.
        if settings.select == "last" or row[measure] >= history.rows[history.best][measure]:
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
        state |= {name: part.state_dict() for name, part in stateful.items()}
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
    """Group sentences of similar length into batches, in random order.

    lengths (Union[Sequence[int], ndarray]): Number of pieces of each sentence.
    size (int): Number of sentences in a batch.
    rng (Generator): Random number generator of the order.
    RETURNS (List[List[int]]): The numbers of the sentences in each batch.
    """
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * POOL):
        part = sorted(order[start : start + size * POOL], key=lambda i: lengths[i])
        batches += [[int(i) for i in part[at : at + size]] for at in range(0, len(part), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


class SentenceTask:
    """Batches of sentences. Subclasses define the losses.

    sentences (Sequence[Sentence]): The sentences.
    pieces (WordPieces): The tokenizer.
    batch_size (int): Sentences in a batch.
    """

    def __init__(self, sentences: Sequence[Sentence], pieces: WordPieces, batch_size: int) -> None:
        self.sentences, self.pieces, self.batch_size = sentences, pieces, batch_size

    def batches(self, rng: np.random.Generator) -> list[list[int]]:
        """Get the numbers of the sentences in each batch of an epoch."""
        return by_length([len(s) for s in self.sentences], self.batch_size, rng)

    def split(self, batch: list[int], count: int) -> list[tuple[list[int], float]]:
        """Split a batch evenly. The share of a part is that of its words, as in the mean loss."""
        parts = [batch[at::count] for at in range(min(count, len(batch)))]
        words = [sum(len(self.sentences[i].words) for i in part) for part in parts]
        return [(part, n / sum(words)) for part, n in zip(parts, words, strict=True)]


def _save(path: Path, state: dict[str, Any]) -> None:
    content = io.BytesIO()  # torch hides the system's error if the disk is full
    torch.save(state, content)
    with written_whole(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _load(
    path: Path, fingerprint: str, trained: dict[str, torch.nn.Parameter], stateful: dict[str, Any]
) -> tuple[History, dict[str, torch.Tensor]]:
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        found, then = state["fingerprint"], state["processes"]
    except Exception as err:  # torch raises errors without a common class
        raise OpticalError(Errors.E205.format(path=path, reason=str(err)[:100])) from err
    if found != fingerprint:
        raise OpticalError(Errors.E403.format(path=path))
    if then != (now := world().num_processes):
        raise OpticalError(Errors.E418.format(path=path, then=then, now=now))
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(state["weights"][name])
    for name, part in stateful.items():
        part.load_state_dict(state[name])
    return History(state["rows"], state["best"]), state["chosen"]
