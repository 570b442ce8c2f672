"""Pairs that are no translations: left out, or counted for less."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacy_optical.align import align_words, pair_weight
from spacy_optical.distill import plan_writer
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.make_plans import make_plans
from spacy_optical.distill.plan_reader import read_plans
from spacy_optical.distill.plan_store import ArrayStore
from spacy_optical.distill.plan_writer import read_pairs
from spacy_optical.distill.tagger import load_tagger
from spacy_optical.distill.training_batches import StudentTask
from spacy_optical.encoders.word_vectors import WordEncoder
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained

STRICT = {"plans.align.skip_below": 0.6, "plans.align.full_weight_above": 0.99}


def with_noise(trained: Trained, folder: Path, **overrides: Any) -> DistillConfig:
    """A config whose Swahili bitext is English copied: 16 sentences by themselves, 16 by others.

    To an encoder that has not learned a language, only copies are translations.
    """
    shutil.copytree(trained.corpus, folder / "corpus")
    path = folder / "corpus" / "bitext" / "sw.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    texts = [row["en"] for row in rows]
    copies = texts[:16] + texts[17:] + texts[16:17]
    lines = [json.dumps(row | {"sw": copy}) for row, copy in zip(rows, copies, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    paths = {f"paths.{name}": str(folder / name) for name in ("corpus", "plans")}
    return load_config(trained.config_path, paths | {"data.languages": ["sw"]} | overrides)


def expected_weights(config: DistillConfig, trained: Trained) -> list[float]:
    """Each pair's weight, from its own plan."""
    encoder = WordEncoder(config.paths.encoder, config.plans.layer)
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    found = []
    for pair in read_pairs(config, "sw", pieces):
        assert pair is not None
        words = pair.source.words, pair.target.words
        plan = align_words(*encoder.vectors(words), *words, config.plans.align)
        found.append(pair_weight(plan.similarity, config.plans.align))
    return found


def test_shuffled_pairs_count_less_or_not_at_all(tmp_path: Path, trained: Trained):
    config = with_noise(trained, tmp_path, **STRICT)
    said: list[str] = []
    row = make_plans(config, trained.teacher, say=said.append)["languages"]["sw"]
    weights = expected_weights(config, trained)
    assert weights[:16] == [1.0] * 16
    assert max(weights[16:]) < 1
    kept = [i for i, weight in enumerate(weights) if weight]
    assert 16 < len(kept) < 32
    of_language = read_plans(config, trained.teacher)[1]["sw"]
    found = [float(arrays["weight"][0]) for arrays in of_language]
    np.testing.assert_allclose(found, [weights[i] for i in kept], atol=0.01)
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    pairs = list(read_pairs(config, "sw", pieces))
    assert list(of_language.words("target-words")) == [pairs[i].target.words for i in kept]
    unlike = 32 - len(kept)
    assert (row["pairs"], row["left_out"], row["unlike"]) == (len(kept), 0, unlike)
    assert row["mean_weight"] == pytest.approx(sum(weights) / len(kept), abs=0.001)
    assert f"{unlike} left out as no translations" in said[-1]


def test_continued_run_counts_what_an_uninterrupted_one_does(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(plan_writer, "CHUNK", 10)
    config = with_noise(trained, tmp_path, **STRICT)
    whole = make_plans(config, trained.teacher)["languages"]["sw"]
    content = {path.name: path.read_bytes() for path in (tmp_path / "plans").glob("*.safetensors")}
    shutil.rmtree(tmp_path / "plans")

    def stop(text: str) -> None:
        if text == "sw: 20 pairs read":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_plans(config, trained.teacher, say=stop)
    row = make_plans(config, trained.teacher)["languages"]["sw"]
    assert row | {"seconds": 0} == whole | {"seconds": 0}
    assert {p.name: p.read_bytes() for p in (tmp_path / "plans").glob("*.safetensors")} == content


def test_bitext_without_a_translation(tmp_path: Path, trained: Trained):
    config = with_noise(trained, tmp_path, **{"plans.align.skip_below": 1.0})
    path = config.paths.corpus / "bitext" / "sw.jsonl"
    lines = path.read_text(encoding="utf8").splitlines()[16:]
    lines.append(json.dumps({"en": "Hi.", "sw": "barabara " * 40}))
    path.write_text("\n".join(lines), encoding="utf8")
    with pytest.raises(
        OpticalError, match=r"E417.*None of the 17 pairs in .*sw\.jsonl.*1 are too long.*in 16 one"
    ):
        make_plans(config, trained.teacher)
    assert not config.paths.plans.exists()


def set_weights(monkeypatch: pytest.MonkeyPatch, weight_of: Callable[[int], float]) -> None:
    """Let every pair count as much as its number says."""

    def weighed(store: ArrayStore, number: int) -> dict[str, np.ndarray]:
        return read(store, number) | {"weight": np.array([weight_of(number)])}

    read = ArrayStore.__getitem__
    monkeypatch.setattr(ArrayStore, "__getitem__", weighed)


def test_weight_scales_what_goes_through_the_plan_and_nothing_else(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    pieces = WordPieces((trained.student / "tokenizer.json").read_bytes())
    english, plans = read_plans(trained.config, trained.teacher)
    student = load_tagger(trained.student).eval()
    config = trained.config.model_copy(
        update={"training": trained.config.training.model_copy(update={"word_dropout": 0.0})}
    )

    def losses(weight: float) -> dict[str, torch.Tensor]:
        task = StudentTask(config, english, plans, pieces)
        with monkeypatch.context() as patch:
            set_weights(patch, lambda number: weight)
            return task.losses(student, task.batches(np.random.default_rng(0))[0])

    full, half, none = losses(1.0), losses(0.5), losses(0.0)
    for name, loss in full.items():
        through = name in ("repr", "labels")
        torch.testing.assert_close(half[name], loss / 2 if through else loss)
        torch.testing.assert_close(none[name], loss * 0 if through else loss)


def test_each_pair_has_its_own_weight(trained: Trained, monkeypatch: pytest.MonkeyPatch):
    pieces = WordPieces((trained.student / "tokenizer.json").read_bytes())
    english, plans = read_plans(trained.config, trained.teacher)
    task = StudentTask(trained.config, english, plans, pieces)
    batch = task.batches(np.random.default_rng(0))[0]
    set_weights(monkeypatch, lambda number: number / 32)
    assert batch.make().weight.tolist() == [[number / 32] for _, number in batch.pairs]
