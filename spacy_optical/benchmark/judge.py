"""A trained model on the gold of every language, counted sentence by sentence."""

from collections.abc import Mapping
from pathlib import Path

from spacy.scorer import PRFScore, Scorer

from ..data.labelled import read_docs
from ..distill.judge import check_labels, guessed, word_logits
from ..distill.sentences import spacy_words
from ..distill.tagger import load_tagger
from ..encoders.fetch import TOKENIZER
from ..files import sha256
from ..runtime.pieces import WordPieces
from .metrics import Judgement, counts_text


def judge(model: Path, gold: Mapping[str, Path]) -> dict[str, Judgement]:
    """Score a teacher or student on gold documents; their own words are what is read.

    model (Path): The model's folder.
    gold (Mapping[str, Path]): `.spacy` files by language.
    RETURNS (Dict[str, Judgement]): Scores and counts by language.
    RAISES (OpticalError): If gold has a label that the model lacks, or something is not whole.
    """
    tagger = load_tagger(model)
    pieces = WordPieces((Path(model) / TOKENIZER).read_bytes())
    found = {}
    for language, path in gold.items():
        docs = read_docs(path)
        check_labels(docs, tagger.labels, path)
        texts = [[doc[i].text for i in spacy_words(doc)] for doc in docs]
        examples = guessed(docs, word_logits(tagger, texts, pieces), tagger.tags)
        scores = Scorer.score_spans(examples, "ents")
        rows = []
        for example in examples:
            score = PRFScore()
            score.score_set(
                {(e.label_, e.start, e.end) for e in example.predicted.ents},
                {(e.label_, e.start, e.end) for e in example.reference.ents},
            )
            rows.append([score.tp, score.fp, score.fn])
        types = scores["ents_per_type"] or {}
        found[language] = Judgement(
            f1=scores["ents_f"] or 0.0,
            precision=scores["ents_p"] or 0.0,
            recall=scores["ents_r"] or 0.0,
            types={label: one["f"] for label, one in sorted(types.items())},
            gold=sha256(path),
            counts=counts_text(rows),
        )
    return found
