"""Random texts: how they are generated, and what must hold for each."""

from hypothesis import strategies as st
from spacy.language import Language

from ..util import TOY_TAGS

# Where tokenisers and normalisers go wrong: nothing wide, from right to left, on top of the letter
# before, of other scripts, in pairs, or what spells a special piece.
ODD = [
    *("\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060", "\ufe0f", "\x00", "\x7f", "\u0085"),
    *("\u202e", "\u2067", "שלום", "مرحبا", "\u0301", "a" + "\u0300" * 40, "ŋ́", "Ɓ", "ß", "İ"),
    *("👩\u200d👩\u200d👧", "🇰🇪", "𝒜", "中文", "ไทย", "ﷺ", "ﬁ", "①", "½", "\U0010ffff"),
    *(" ", "\n", "\t", "\u3000", "\u2028", "<s>", "</s>", "<unk>", "<pad>", "▁", "x" * 600),
]
PART = st.one_of(
    st.sampled_from([*TOY_TAGS, *ODD]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
)
ANY_TEXT = st.lists(PART, max_size=12).flatmap(
    lambda parts: st.sampled_from([" ", ""]).map(lambda between: between.join(parts))
)


def check(nlp: Language, text: str) -> None:
    """Run a text and look at all that the component promises for it.

    nlp (Language): A pipeline with `optical_ner`.
    text (str): The text.
    RAISES (AssertionError): If a promise is broken.
    """
    doc = nlp(text)
    (other,) = nlp.pipe([text], batch_size=1)
    assert doc.text == text
    scores = [ent._.score for ent in doc.ents]
    assert all(0 < score <= 1 for score in scores)
    assert [ent._.score for ent in other.ents] == scores
    assert [ent.label for ent in other.ents] == [ent.label for ent in doc.ents]
    inside = 0
    for token in doc:
        # 1 is inside, 2 outside, 3 the first of an entity; nothing is left undecided.
        assert token.ent_iob in (1, 2, 3)
        assert token.ent_iob != 1 or inside == token.ent_type
        inside = token.ent_type
    for ent in doc.ents:
        assert not ent[0].is_space
        assert not ent[-1].is_space
