from xml.etree import ElementTree

import numpy as np
import pytest

from spacy_optical.align import Plan, ProjectedSpan
from spacy_optical.errors import OpticalError
from spacy_optical.projection.pair import align_pair
from spacy_optical.projection.picture import plan_html, plan_table

PLAN = Plan(
    np.array([[0.5, 0.0, 0.0], [0.0, 0.0, 0.25]]), np.full(2, 0.5), np.array([0.5, 0.25, 0.25])
)
SOURCE, TARGET = ["<Amina>", "&co"], ["आमिना", "ते", "co"]


def svg(page):
    return ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])


def named(root, tag):
    return [element for element in root.iter() if element.tag.endswith("}" + tag)]


def test_the_page_shows_words_links_labels_and_what_is_null():
    page = plan_html(PLAN, SOURCE, TARGET, [(0, 1, "PER")], [ProjectedSpan(0, 1, "PER", 1)])
    root = svg(page)
    texts = [element.text for element in named(root, "text")]
    assert set(SOURCE + TARGET) <= set(texts)
    assert "PER" in texts
    assert "PER 1.00" in texts
    assert len(named(root, "path")) == 2
    null = [e.text for e in named(root, "text") if e.get("class") == "null"]
    assert null == ["ते"]
    colours = [rect.get("fill") for rect in named(root, "rect") if rect.get("fill")]
    assert colours == ["#aa9cfc", "#aa9cfc"]
    assert "75% of the mass moved" in page


def test_words_without_mass_have_no_links():
    plan = Plan(np.diag([1.0, 0.0]), np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert len(named(svg(plan_html(plan, ["a", "b"], ["c", "d"])), "path")) == 1


def test_nothing_is_fetched_and_nothing_is_run():
    page = plan_html(PLAN, ["<script>alert(1)</script>", "b"], TARGET)
    assert "<script" not in page
    assert "href" not in page


def test_rows_say_where_a_word_came_from():
    rows = plan_table(PLAN, SOURCE, TARGET)
    assert rows == [("आमिना", "<Amina> 100%", "100%"), ("ते", "–", "0%"), ("co", "&co 100%", "100%")]


def test_a_pair_is_aligned_from_markup(encoder):
    pair = align_pair("[Amina Juma](PER) na [Nairobi](LOC)", "Nairobi na Amina Juma", encoder)
    found = [(s.start, s.end, s.label) for s in pair.kept]
    assert found == [(0, 1, "LOC"), (2, 4, "PER")]
    assert [row[0] for row in pair.table()] == ["Nairobi", "na", "Amina", "Juma"]
    assert "Nairobi" in pair.html()


@pytest.mark.parametrize(("source", "target"), [("", "x"), ("Amina", " ")])
def test_an_empty_side_is_named(encoder, source, target):
    with pytest.raises(OpticalError, match="E30"):
        align_pair(source, target, encoder)
