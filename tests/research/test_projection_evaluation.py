import numpy as np
import pytest

from research.projection_evaluation import ceiling_counts, evaluate_projection
from spacy_optical.align import ALIGNERS, SOLVERS, AlignConfig
from spacy_optical.errors import OpticalError
from spacy_optical.scores import score

SOURCE = """# sent_id = 1
1\tAmina\tB-PER
2\tJuma\tI-PER
3\tna\tO
4\tNairobi\tB-LOC

# sent_id = 2
1\tMombasa\tB-LOC

# sent_id = only-here
1\tKuu\tB-ORG
"""
TARGET = """# sent_id = 2
1\tMombasa\tB-ORG
2\t.\tO

# sent_id = 1
1\tNairobi\tB-LOC
2\tna\tO
3\tAmina\tB-PER
4\tJuma\tI-PER
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "en.iob2").write_text(SOURCE)
    (tmp_path / "sw.iob2").write_text(TARGET)
    return tmp_path / "en.iob2", tmp_path / "sw.iob2"


def test_figures_are_those_of_hand(files, encoder, monkeypatch):
    monkeypatch.setitem(SOLVERS, "order", lambda cost, a, b, config: np.eye(*cost.shape) / a.size)
    monkeypatch.setitem(ALIGNERS, "order", AlignConfig(solver="order"))
    found = evaluate_projection(*files, encoder, ["partial", "order"])
    assert (found.sentences, found.left_out) == (2, 1)
    # Three of three could be found in number, but sentence 2 differs in type.
    assert found.ceiling.f1 == pytest.approx(200 * 2 / 6)
    assert found.aligners["partial"].score.f1 == pytest.approx(200 * 2 / 6)
    assert found.aligners["order"].score.f1 < 50


def test_the_json_has_the_agreed_keys(files, encoder):
    found = evaluate_projection(*files, encoder, ["partial", "softmax"]).to_json()
    assert set(found) == {"ceiling", "aligners", "default"}
    assert found["default"] == "partial"
    assert list(found["aligners"]) == ["partial", "softmax"]
    for row in found["aligners"].values():
        assert set(row) == {"f1", "share_of_ceiling", "ms_per_pair", "ci"}
        assert row["ci"][0] <= row["f1"] <= row["ci"][1]
    assert found["aligners"]["partial"]["share_of_ceiling"] == 1


def test_the_table_has_a_row_for_each_aligner_and_a_column_for_each_type(files, encoder):
    header, rows = evaluate_projection(*files, encoder, ["partial"]).table()
    assert {"LOC", "ORG", "PER"} <= set(header)
    assert len(rows) == 1
    assert len(rows[0]) == len(header)


def test_files_without_a_common_sentence_and_unknown_aligners_are_named(files, encoder, tmp_path):
    other = tmp_path / "other.iob2"
    other.write_text(TARGET.replace("sent_id = ", "sent_id = x"))
    with pytest.raises(OpticalError, match="E315"):
        evaluate_projection(files[0], other, encoder, ["partial"])
    with pytest.raises(OpticalError, match="E316"):
        evaluate_projection(*files, encoder, ["magic"])


def test_a_ceiling_compares_the_labels_of_each_sentence():
    source = [[(0, 1, "PER"), (2, 3, "PER")], [(0, 1, "LOC")]]
    target = [[(5, 6, "PER")], [(0, 1, "ORG"), (1, 2, "LOC")]]
    counts = ceiling_counts(source, target)
    assert counts.tolist() == [[1, 1, 0], [1, 0, 1]]
    assert score(counts).f1 == pytest.approx(200 * 2 / 6)
