import errno
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from spacy_optical.distill import objectives
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.distillation import distill
from spacy_optical.distill.loop import CHECKPOINT, Losses, by_length, train
from spacy_optical.distill.make_plans import make_plans
from spacy_optical.distill.tagger import METRICS, WordTagger, load_tagger
from spacy_optical.distill.teacher import EnglishTask, teach
from spacy_optical.errors import OpticalError

from ..conftest import Trained


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def interrupted_after(epoch: int):
    def say(text: str) -> None:
        if text.startswith(f"epoch {epoch:>2}"):
            raise KeyboardInterrupt

    return say


def short(trained: Trained, folder: Path, **overrides: Any) -> DistillConfig:
    values = {"teacher.epochs": 3, "training.epochs": 3, "paths.plans": str(folder / "plans")}
    return load_config(trained.config_path, values | overrides)


def test_resumed_teacher_equals_uninterrupted(tmp_path: Path, trained: Trained):
    config = short(trained, tmp_path)
    whole = teach(config, tmp_path / "whole")
    for epoch in (1, 2):  # once more on the way
        with pytest.raises(KeyboardInterrupt):
            teach(config, tmp_path / "parts", resume=True, say=interrupted_after(epoch))
        assert not (tmp_path / "parts").exists()
    said: list[str] = []
    parts = teach(config, tmp_path / "parts", resume=True, say=said.append)
    assert said[0] == "Continuing after epoch 2 of 3"
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    assert parts["epochs"] == whole["epochs"]
    assert parts["kept_epoch"] == whole["kept_epoch"]


@pytest.mark.parametrize("select", ["best", "last"])
def test_resumed_student_equals_uninterrupted(tmp_path: Path, trained: Trained, select: str):
    config = load_config(trained.config_path, {"training.epochs": 3, "training.select": select})
    distill(config, trained.teacher, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        distill(config, trained.teacher, tmp_path / "parts", say=interrupted_after(1))
    torch.manual_seed(99)  # whatever happened in between
    distill(config, trained.teacher, tmp_path / "parts", resume=True)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_interrupt_within_an_epoch(tmp_path: Path, trained: Trained, monkeypatch):
    """Ctrl-C in the middle of epoch 2 loses that epoch and nothing else."""
    config = short(trained, tmp_path)
    teach(config, tmp_path / "whole")
    losses, steps = EnglishTask.losses, []

    def interrupted(task: EnglishTask, tagger: WordTagger, batch: Any) -> Losses:
        steps.append(batch)
        if len(steps) == 11:
            raise KeyboardInterrupt
        return losses(task, tagger, batch)

    monkeypatch.setattr(EnglishTask, "losses", interrupted)
    with pytest.raises(KeyboardInterrupt):
        teach(config, tmp_path / "parts")
    monkeypatch.undo()
    teach(config, tmp_path / "parts", resume=True)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))


def test_same_seed_same_weights(tmp_path: Path, trained: Trained):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(ord(name))  # whatever was drawn before
        config = short(trained, tmp_path, **{"general.seed": seed, "teacher.epochs": 1})
        teach(config, tmp_path / name)
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_without_resume_a_run_begins_anew(tmp_path: Path, trained: Trained):
    config = short(trained, tmp_path, **{"teacher.epochs": 2})
    with pytest.raises(KeyboardInterrupt):
        teach(config, tmp_path / "out", say=interrupted_after(1))
    said: list[str] = []
    teach(config, tmp_path / "out", say=said.append)
    assert [line.split()[1] for line in said] == ["1", "2"]


def test_a_finished_run_is_kept(tmp_path: Path, trained: Trained):
    """Also without its checkpoint: a model may come from another machine."""
    config = short(trained, tmp_path, **{"teacher.epochs": 1})
    metrics = teach(config, tmp_path / "out")
    shutil.rmtree(tmp_path / "out-checkpoint")
    before = (tmp_path / "out" / METRICS).stat().st_mtime_ns
    said: list[str] = []
    assert teach(config, tmp_path / "out", resume=True, say=said.append) == metrics
    assert said == [f"{tmp_path / 'out'} was made from the same already"]
    assert (tmp_path / "out" / METRICS).stat().st_mtime_ns == before
    longer = short(trained, tmp_path, **{"teacher.epochs": 2})
    assert len(teach(longer, tmp_path / "out", resume=True)["epochs"]) == 2
    (tmp_path / "out" / METRICS).write_text("[]", encoding="utf8")
    shutil.rmtree(tmp_path / "out-checkpoint")
    assert len(teach(config, tmp_path / "out", resume=True)["epochs"]) == 1


def test_a_finished_student_is_kept(tmp_path: Path, trained: Trained):
    config = load_config(trained.config_path, {"training.epochs": 1})
    metrics = distill(config, trained.teacher, tmp_path / "out")
    said: list[str] = []
    assert distill(config, trained.teacher, tmp_path / "out", resume=True, say=said.append)
    assert said == [f"{tmp_path / 'out'} was made from the same already"]
    found = json.loads((tmp_path / "out" / METRICS).read_text(encoding="utf8"))
    assert found["fingerprint"] == metrics["fingerprint"]


@pytest.mark.parametrize(
    "overrides", [{"teacher.learning_rate": 0.1}, {"general.seed": 4}, {"teacher.epochs": 4}]
)
def test_resume_with_another_config(tmp_path: Path, trained: Trained, overrides: dict[str, Any]):
    with pytest.raises(KeyboardInterrupt):
        teach(short(trained, tmp_path), tmp_path / "out", say=interrupted_after(1))
    checkpoint = tmp_path / "out-checkpoint" / CHECKPOINT
    before = checkpoint.read_bytes()
    with pytest.raises(OpticalError, match=r"E403.*checkpoint\.pt was made with another config"):
        teach(short(trained, tmp_path, **overrides), tmp_path / "out", resume=True)
    assert checkpoint.read_bytes() == before


def test_resume_with_other_weights_below(tmp_path: Path, trained: Trained):
    """The paths may differ, the encoder's content may not."""
    from ..toy_project import toy_text
    from ..util import toy_encoder, trained_toy_tokenizer

    with pytest.raises(KeyboardInterrupt):
        teach(short(trained, tmp_path), tmp_path / "out", say=interrupted_after(1))
    other = toy_encoder(tmp_path / "encoder", trained_toy_tokenizer(toy_text()), seed=8)
    config = short(trained, tmp_path, **{"paths.encoder": str(other)})
    with pytest.raises(OpticalError, match="E403"):
        teach(config, tmp_path / "out", resume=True)


def test_damaged_checkpoint(tmp_path: Path, trained: Trained):
    with pytest.raises(KeyboardInterrupt):
        teach(short(trained, tmp_path), tmp_path / "out", say=interrupted_after(1))
    checkpoint = tmp_path / "out-checkpoint" / CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:-50])
    with pytest.raises(OpticalError, match=r"E205.*checkpoint\.pt"):
        teach(short(trained, tmp_path), tmp_path / "out", resume=True)
    torch.save({"weights": {}}, checkpoint)
    with pytest.raises(OpticalError, match=r"E205.*checkpoint\.pt"):
        teach(short(trained, tmp_path), tmp_path / "out", resume=True)


def test_full_disk_under_a_checkpoint(tmp_path: Path, trained: Trained, monkeypatch):
    def full_disk(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OpticalError, match=r"E003.*checkpoint\.pt: No space left on device"):
        teach(short(trained, tmp_path), tmp_path / "out")
    assert list(tmp_path.rglob("*.*")) == []


class Fixed:
    """One batch of random sentences, and whatever loss a test needs."""

    def __init__(self, tagger: WordTagger, factor: float = 1.0) -> None:
        from spacy_optical.distill.sentences import Batch

        ids = torch.arange(5, 25).reshape(2, 10)
        words = torch.arange(10).expand(2, 10)
        tags = words % tagger.model.config.num_labels
        self.batch = Batch(ids, torch.ones_like(ids), words, words, words >= 0, tags, ids[:, :0])
        self.factor = factor

    def batches(self, rng: np.random.Generator) -> Sequence[Any]:
        return [self.batch, self.batch]

    def losses(self, tagger: WordTagger, batch: Any) -> Losses:
        return {"hard": self.factor * objectives.hard(tagger(batch).logits, batch.tags)}


def run(tagger: WordTagger, task: Any, config: DistillConfig, folder: Path, **how: Any):
    defaults: dict[str, Any] = {"seed": 0, "fingerprint": "x", "evaluate": lambda model: 0.0}
    return train(tagger, task, config.teacher, folder=folder, **{**defaults, **how})


def test_best_epoch_is_kept_and_a_later_one_wins_a_tie(tmp_path: Path, trained: Trained):
    tagger = load_tagger(trained.teacher)
    scores, seen = iter([0.1, 0.7, 0.7, 0.2]), []

    def evaluate(model: WordTagger) -> float:
        seen.append({name: p.detach().clone() for name, p in model.named_parameters()})
        return next(scores)

    config = load_config(trained.config_path, {"teacher.epochs": 4})
    history = run(tagger, Fixed(tagger), config, tmp_path, evaluate=evaluate)
    assert history.best == 2
    assert [row["dev_f1"] for row in history.rows] == [0.1, 0.7, 0.7, 0.2]
    assert same(dict(tagger.named_parameters()), seen[2])
    assert not same(seen[1], seen[2])


def test_last_epoch_is_kept_if_asked(tmp_path: Path, trained: Trained):
    config = load_config(trained.config_path, {"teacher.epochs": 2, "teacher.select": "last"})
    scores = iter([0.9, 0.1])
    tagger = load_tagger(trained.teacher)
    history = run(tagger, Fixed(tagger), config, tmp_path, evaluate=lambda model: next(scores))
    assert history.best == 1


def test_loss_that_is_no_number(tmp_path: Path, trained: Trained):
    tagger = load_tagger(trained.teacher)
    with pytest.raises(OpticalError, match=r"E408.*epoch 1"):
        run(tagger, Fixed(tagger, float("nan")), trained.config, tmp_path)


def test_frozen_embeddings_stay(tmp_path: Path, trained: Trained):
    tagger = load_tagger(trained.teacher)
    tagger.freeze_embeddings()
    table = tagger.model.get_input_embeddings().weight.detach().clone()
    classifier = tagger.model.classifier.weight.detach().clone()
    run(tagger, Fixed(tagger), trained.config, tmp_path)
    assert torch.equal(tagger.model.get_input_embeddings().weight, table)
    assert not torch.equal(tagger.model.classifier.weight, classifier)


def test_batches_hold_each_sentence_once_and_like_lengths():
    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 60, size=500)]
    batches = by_length(lengths, 16, np.random.default_rng(1))
    assert sorted(i for batch in batches for i in batch) == list(range(500))
    assert max(map(len, batches)) == 16
    spread = np.mean([max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in batches])
    assert spread < 10
    assert batches != by_length(lengths, 16, np.random.default_rng(2))


def test_plans_do_not_depend_on_what_ran_before(tmp_path: Path, trained: Trained):
    config = short(trained, tmp_path)
    make_plans(config, trained.teacher)
    for path in trained.config.paths.plans.glob("*.safetensors"):
        assert path.read_bytes() == (tmp_path / "plans" / path.name).read_bytes()
