"""One sentence and its translation, aligned, to be looked at."""

from dataclasses import dataclass

from spacy.language import Language

from ..align import (
    AlignConfig,
    Plan,
    ProjectedSpan,
    SourceSpan,
    align_words,
    project_spans,
    without_articles,
)
from ..data.labelled import make_doc
from ..data.markup import parse_markup
from ..data.parallel import LABELS
from ..distill.encode import WordEncoder
from .picture import plan_html, plan_table
from .words import Sentence, sentence_in, sentence_of


@dataclass(frozen=True)
class AlignedPair:
    """Both sentences, the plan between them, and the spans that it brought over."""

    source: Sentence
    target: Sentence
    plan: Plan
    found: list[ProjectedSpan]

    def table(self) -> list[tuple[str, str, str]]:
        """Give the plan as rows; see `plan_table`."""
        return plan_table(self.plan, self.source.words, self.target.words)

    def html(self) -> str:
        """Draw the plan; see `plan_html`."""
        spans = [SourceSpan(*span) for span in self.source.spans]
        return plan_html(self.plan, self.source.words, self.target.words, spans, self.found)


def align_pair(
    source: str,
    target: str,
    encoder: WordEncoder,
    config: AlignConfig | None = None,
    *,
    source_lang: str = "en",
    target_lang: str = "xx",
    labeller: Language | None = None,
) -> AlignedPair:
    """Align a sentence with its translation and carry its entities over.

    source (str): The sentence; without a labeller its entities may be marked as `[Amina](PER)`.
    target (str): The translation.
    encoder (WordEncoder): Gives the word vectors.
    config (Optional[AlignConfig]): The alignment's settings.
    source_lang (str): The sentence's language.
    target_lang (str): The translation's language.
    labeller (Optional[Language]): A pipeline that finds the entities.
    RETURNS (AlignedPair): The pair.
    RAISES (OpticalError): On broken markup, or a side without words.
    """
    config = config or AlignConfig()
    if labeller is not None:
        left = sentence_of(labeller(source))
    else:
        marked = parse_markup(source, LABELS, where="the sentence")
        doc = make_doc(marked, source_lang, where="the sentence", evaluation_only=False)
        left = sentence_of(doc)
    right = sentence_in(target, target_lang)
    x, y = encoder.vectors([left.words, right.words])
    plan = align_words(x, y, left.words, right.words, config)
    spans = without_articles(left.spans, left.words)
    return AlignedPair(left, right, plan, project_spans(plan, spans, config))
