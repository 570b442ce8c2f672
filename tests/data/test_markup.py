import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.data.markup import MarkedEntity, MarkedText, parse_markup
from spacy_optical.errors import OpticalError
from tests.util import markup_of

LABELS = frozenset({"PER", "LOC"})
PLAIN = st.text(st.characters(blacklist_characters="[]", blacklist_categories=("Cs",)), max_size=12)
SURFACE = PLAIN.filter(lambda text: text.strip() and text == text.strip())


def test_by_hand():
    marked = parse_markup("Hi [Amina Juma](PER), in [Pune](LOC)?", LABELS, where="f")
    assert marked.text == "Hi Amina Juma, in Pune?"
    assert marked.entities == (MarkedEntity(3, 13, "PER"), MarkedEntity(18, 22, "LOC"))
    assert [marked.surface(entity) for entity in marked.entities] == ["Amina Juma", "Pune"]


def test_parentheses_elsewhere_are_text():
    marked = parse_markup("(see) [Pune (Maharashtra)](LOC) (PER)", LABELS, where="f")
    assert marked.text == "(see) Pune (Maharashtra) (PER)"
    assert [marked.surface(entity) for entity in marked.entities] == ["Pune (Maharashtra)"]


@given(st.lists(st.tuples(PLAIN, SURFACE, st.sampled_from(sorted(LABELS)))), PLAIN)
def test_round_trip(parts: list[tuple[str, str, str]], end: str):
    written = "".join(f"{text}[{surface}]({label})" for text, surface, label in parts) + end
    marked = parse_markup(written, LABELS, where="f")
    assert markup_of(marked) == written
    assert marked.text == "".join(text + surface for text, surface, _ in parts) + end
    assert [marked.surface(entity) for entity in marked.entities] == [part[1] for part in parts]


@given(st.text(st.characters(blacklist_characters="[]"), max_size=40), st.data())
def test_any_spans_survive_markup(text: str, data: st.DataObject):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    spans = [
        MarkedEntity(start, end, "LOC")
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
        if text[start:end].strip() and text[start:end] == text[start:end].strip()
    ]
    marked = MarkedText(text, tuple(spans))
    assert parse_markup(markup_of(marked), LABELS, where="f") == marked


@pytest.mark.parametrize(
    ("written", "code", "column", "told"),
    [
        ("Hi [Amina", "E201", 4, "'['"),
        ("Hi [Amina] (PER)", "E201", 4, "'['"),
        ("Amina](PER)", "E201", 6, "']'"),
        ("[Pune](LOC) and [Amina](PER", "E201", 17, "'['"),
        ("[[Amina](PER)](LOC)", "E201", 1, "'['"),
        ("a [](PER)", "E202", 3, "''"),
        ("a [ Amina](PER)", "E202", 3, "' Amina'"),
        ("a [Amina ](PER)", "E202", 3, "'Amina '"),
        ("a [Amina](ORG)", "E203", 3, "'ORG'"),
        ("a [Amina]()", "E203", 3, "Use one of LOC, PER"),
        ("a [Amina](per)", "E203", 3, "'per'"),
    ],
)
def test_errors_name_the_column(written: str, code: str, column: int, told: str):
    with pytest.raises(OpticalError) as caught:
        parse_markup(written, LABELS, where="train.jsonl, line 7 (sw)")
    assert str(caught.value).startswith(f"[{code}] train.jsonl, line 7 (sw), column {column}: ")
    assert told in str(caught.value)
