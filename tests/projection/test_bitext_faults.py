"""Bitext is checked as a whole, and matched again where its lines have moved."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from spacy_optical import check_bitext
from spacy_optical.errors import OpticalError
from spacy_optical.projection.bitext_faults import CheckedFile, _realign
from spacy_optical.projection.bitext_picture import bitext_html
from tests.util import toy_encoder, toy_tokenizer

N = 240
LETTERS = "abdegiklmnorstu"
WORDS = tuple(f"{one}{two}{three}" for one in LETTERS[:8] for two in LETTERS for three in "aeiou")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return toy_encoder(tmp_path_factory.mktemp("encoder"), toy_tokenizer(WORDS))


def sentences(seed=0):
    """Sentences and "translations", which have the same words from back to front."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(N):
        words = [WORDS[i] for i in rng.integers(0, len(WORDS), rng.integers(4, 16))]
        found.append((" ".join(words), " ".join(words[::-1])))
    return found


def written(path, order=None, pairs=None):
    """Write pairs whose targets are in another order."""
    pairs = pairs or sentences()
    order = range(N) if order is None else order
    lines = [{"id": i, "en": pairs[i][0], "sw": pairs[j][1]} for i, j in enumerate(order)]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def check(path, encoder, out=None):
    (found,) = check_bitext([path], encoder=encoder, target_lang="sw", repair=out)
    return found


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]


def test_a_sound_file_stays_as_it_is(encoder, tmp_path):
    found = check(written(tmp_path / "sw.jsonl"), encoder, tmp_path / "out")
    assert (found.pairs, found.kept, found.dropped, found.matched) == (N, N, 0, 0)
    assert found.faults == {}
    assert found.blocks == []
    kept = read(tmp_path / "out/pairs.jsonl")
    assert [(one["en"], one["sw"]) for one in kept] == sentences()
    assert read(tmp_path / "out/dropped.jsonl") == []


@pytest.mark.parametrize("shift", [-4, -1, 1, 7])
def test_a_shifted_block_is_put_back(encoder, tmp_path, shift):
    order = np.arange(N)
    order[80:160] = np.roll(order[80:160], shift)
    found = check(written(tmp_path / "sw.jsonl", order.tolist()), encoder, tmp_path / "out")
    assert [(b["kind"], b["offset"]) for b in found.blocks if b["offset"]] == [("shifted", shift)]
    pairs = dict(sentences())
    kept = read(tmp_path / "out/pairs.jsonl")
    assert all(pairs[one["en"]] == one["sw"] for one in kept)
    assert len(kept) >= N - abs(shift) - 2
    counts = json.loads((tmp_path / "out/check.json").read_text())
    assert counts[0]["faults"] == found.faults
    assert counts[0]["matched"] == found.matched >= 70


def test_the_target_of_a_pair_that_is_kept_is_not_given_to_another():
    """Row 160 keeps a weak pair behind a block, whose last row would fit its target too."""
    reach, rows = 3, np.arange(N)
    fit = np.full((N, N), -6.0)
    fit[rows, rows] = 5.0
    fit[80:160, 80:160] = -6.0
    fit[rows[80:160], rows[81:161]] = 5.0
    fit[160, 160] = -1.0
    columns = rows[:, None] + np.arange(-reach, reach + 1)
    inside = (columns >= 0) & (columns < N)
    offsets = np.where(inside, fit[rows[:, None], columns.clip(0, N - 1)], np.nan)
    odds = SimpleNamespace(reach=reach, offsets=offsets, between=lambda i, j: fit[np.ix_(i, j)])
    found = CheckedFile("sw.jsonl", N, {})
    partners = _realign(found, odds)
    assert [(block["start"], block["offset"]) for block in found.blocks] == [(81, 1)]
    assert partners[158] == 159
    assert partners[160] == 160
    assert partners[159] == -1


def test_a_scrambled_block_is_sorted_again_and_a_foreign_one_is_dropped(encoder, tmp_path):
    order = np.arange(N)
    order[40:100] = np.random.default_rng(2).permutation(order[40:100])
    pairs, others = sentences(), sentences(seed=5)
    mixed = [(s, others[i][1] if 150 <= i < 200 else t) for i, (s, t) in enumerate(pairs)]
    path = written(tmp_path / "sw.jsonl", order.tolist(), mixed)
    found = check(path, encoder, tmp_path / "out")
    assert [block["kind"] for block in found.blocks] == ["scrambled", "unrelated"]
    kept = read(tmp_path / "out/pairs.jsonl")
    right = [dict(pairs)[one["en"]] == one["sw"] for one in kept]
    assert sum(right) >= 185
    assert right.count(False) <= 3
    assert {one["fault"] for one in read(tmp_path / "out/dropped.jsonl")} >= {"unrelated"}


def test_without_an_encoder_the_rules_are_used_alone(tmp_path):
    order = np.roll(np.arange(N), 1).tolist()
    found = check(written(tmp_path / "sw.jsonl", order), None)
    assert found.odds is None
    assert found.blocks == []
    pairs = [*sentences()[:9], sentences()[0]]
    path = written(tmp_path / "twice.jsonl", range(10), pairs)
    assert check(path, None).faults == {"duplicate": 1}


def test_two_files_share_what_was_seen_and_an_output(tmp_path):
    one, two = (written(tmp_path / f"{name}.jsonl") for name in "ab")
    found = check_bitext([one, two], target_lang="sw", repair=tmp_path / "out")
    assert [file.dropped for file in found] == [0, N]
    assert read(tmp_path / "out/dropped.jsonl")[0]["id"] == "2-0"


def test_both_files_of_moses_belong_together(tmp_path):
    pairs = sentences()
    for at, side in enumerate(("src.txt", "ref.txt")):
        (tmp_path / side).write_text("\n".join(pair[at] for pair in pairs))
    paths = [tmp_path / "src.txt", tmp_path / "ref.txt"]
    (found,) = check_bitext(paths, target_lang="sw", format="moses")
    assert found.pairs == N


def test_lines_that_cannot_be_read_are_counted(tmp_path):
    path = written(tmp_path / "sw.jsonl")
    path.write_text(path.read_text() + "\nbroken\n")
    assert check(path, None).skipped == {"E220": 1}


def test_the_picture_shows_blocks_and_escapes_names(encoder, tmp_path):
    order = np.arange(N)
    order[80:160] = np.roll(order[80:160], 1)
    path = written(tmp_path / "<b>&.jsonl", order.tolist())
    page = bitext_html([check(path, encoder)])
    assert page.count("<polyline") == 2
    assert 'class="shifted"' in page
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;.jsonl" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_an_input_in_the_output_is_left_alone(tmp_path):
    out = tmp_path / "out"
    check(written(tmp_path / "sw.jsonl"), None, out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OpticalError, match=r"E010.*pairs.jsonl"):
        check_bitext(out / "pairs.jsonl", target_lang="sw", repair=out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_what_is_at_the_output_and_not_ours_is_left_alone(tmp_path):
    path = written(tmp_path / "sw.jsonl")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("x")
    for out in (tmp_path / "mine", path):
        with pytest.raises(OpticalError, match="E004"):
            check(path, None, out)
    assert (tmp_path / "mine/letter.txt").read_text() == "x"
    check(path, None, tmp_path / "out")
    check(path, None, tmp_path / "out")
