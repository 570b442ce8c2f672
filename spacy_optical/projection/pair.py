"""A sentence, its translation and the projected entities."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spacy.language import Language

from ..align import AlignConfig, Plan, ProjectedSpan, align_and_project
from ..data.docs import make_doc
from ..data.markup import parse_markup
from ..data.parallel import LABELS
from ..data.word_tokenizer import tokenizer_for
from ..encoders.word_vectors import WordEncoder
from . import THRESHOLD
from .picture import plan_html, plan_table
from .words import Sentence, load_labeller, sentence_of


@dataclass(frozen=True)
class AlignedPair:
    """A sentence and its translation with the transport plan and the projected entities.

    source, target (Sentence): The sentence and its translation.
    plan (Plan): The plan between their words.
    spans, kept (List[ProjectedSpan]): All projected entities, and those that reach the threshold.
    usable (bool): Whether the similarity of the pair is high enough. If not, `kept` is empty.
    """

    source: Sentence
    target: Sentence
    plan: Plan
    spans: list[ProjectedSpan]
    kept: list[ProjectedSpan]
    usable: bool

    def table(self) -> list[tuple[str, str, str]]:
        """Show the plan as rows; see `plan_table`."""
        return plan_table(self.plan, self.source.words, self.target.words)

    def html(self) -> str:
        """Draw the plan and the kept entities; see `plan_html`."""
        source, target = self.source, self.target
        return plan_html(self.plan, source.words, target.words, source.spans, self.kept)


def project_pair(
    source: Sentence,
    target: Sentence,
    source_vectors: np.ndarray,
    target_vectors: np.ndarray,
    config: AlignConfig,
    threshold: float = THRESHOLD,
) -> AlignedPair:
    """Align a sentence with its translation, project its entities and apply the threshold.

    source (Sentence): The sentence, m words.
    target (Sentence): The translation, n words.
    source_vectors (ndarray): Word vectors, [m, d].
    target_vectors (ndarray): Word vectors, [n, d].
    config (AlignConfig): The settings of the alignment.
    threshold (float): The minimum confidence of a kept entity, 0 to 1.
    RETURNS (AlignedPair): The pair.
    RAISES (OpticalError): As `align_and_project`.
    """
    plan, spans = align_and_project(
        source_vectors, target_vectors, source.words, target.words, source.spans, config
    )
    usable = plan.similarity >= config.skip_below
    kept = [span for span in spans if usable and span.confidence >= threshold]
    return AlignedPair(source, target, plan, spans, kept, usable)


def align_pair(
    source: str,
    target: str,
    encoder: str | Path | WordEncoder,
    config: AlignConfig | None = None,
    *,
    source_lang: str = "en",
    target_lang: str = "xx",
    labeller: str | Path | Language | None = None,
    threshold: float = THRESHOLD,
) -> AlignedPair:
    """Align a sentence with its translation and project its entities.

    source (str): The sentence. Without a labeller, entities can be marked: `[Amina](PER)`.
    target (str): The translation.
    encoder (Union[str, Path, WordEncoder]): The folder of an encoder, or a loaded encoder.
    config (Optional[AlignConfig]): The settings of the alignment.
    source_lang (str): The language of the sentence.
    target_lang (str): The language of the translation.
    labeller (Optional[Union[str, Path, Language]]): The pipeline that labels the sentence: its name
        or folder, or a loaded pipeline.
    threshold (float): The minimum confidence of a kept entity, 0 to 1.
    RETURNS (AlignedPair): The pair.
    RAISES (OpticalError): If the encoder or labeller cannot be loaded, the markup is invalid, a
        side has no words, or as `tokenizer_for`.
    """
    if labeller is not None:
        doc = load_labeller(labeller)(source)
    else:
        marked = parse_markup(source, LABELS, where="the sentence")
        doc = make_doc(marked, source_lang, where="the sentence")
    left, right = sentence_of(doc), sentence_of(tokenizer_for(target_lang)(target))
    encoder = WordEncoder(encoder) if isinstance(encoder, str | Path) else encoder
    x, y = encoder.vectors([left.words, right.words])
    return project_pair(left, right, x, y, config or AlignConfig(), threshold)
