"""Counts of true positives, false positives and false negatives."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError

Span = tuple[int, int, str]


def span_counts(
    gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], label: str | None = None
) -> NDArray[np.int64]:
    """Count the true positives, false positives and false negatives of each sentence.

    A predicted span is correct if a gold span has the same start, end and label. A repeated span is
    counted each time.

    gold (Sequence[Sequence[Span]]): Start, end and label of the gold spans of each sentence.
    predicted (Sequence[Sequence[Span]]): The same of the predicted spans.
    label (Optional[str]): Count only this label.
    RETURNS (ndarray): [sentences, 3]: true positives, false positives, false negatives.
    RAISES (OpticalError): If the two sides have different numbers of sentences.

    >>> span_counts([[(0, 2, "PER"), (4, 5, "LOC")]], [[(0, 2, "PER"), (4, 6, "LOC")]]).tolist()
    [[1, 1, 1]]
    """
    if len(gold) != len(predicted):
        raise OpticalError(Errors.E314.format(gold=len(gold), predicted=len(predicted)))
    rows = []
    for expected, found in zip(gold, predicted, strict=True):
        left, right = (
            Counter((start, end, kind) for start, end, kind in spans if label in (None, kind))
            for spans in (expected, found)
        )
        rows.append(((left & right).total(), (right - left).total(), (left - right).total()))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def with_labels(documents: Iterable[Iterable[Span]], labels: Sequence[str]) -> list[list[Span]]:
    """Keep the spans of each document that have one of some labels.

    documents (Iterable[Iterable[Tuple[int, int, str]]]): The spans of each document.
    labels (Sequence[str]): The labels; all if empty.
    RETURNS (List[List[Tuple[int, int, str]]]): The spans.

    >>> with_labels([[(0, 1, "PER"), (2, 3, "DATE")]], ["PER"])
    [[(0, 1, 'PER')]]
    """
    return [[span for span in spans if not labels or span[2] in labels] for spans in documents]


def counts_text(rows: Iterable[Iterable[float]]) -> str:
    """Write counts on one line. Indented JSON would need a line for each number.

    rows (Iterable[Iterable[float]]): True positives, false positives and false negatives of each
        document.
    RETURNS (str): `TP,FP,FN` for each document, separated by spaces.

    >>> counts_text([[1, 0, 2], [0, 1, 0]])
    '1,0,2 0,1,0'
    """
    return " ".join(",".join(f"{count:.0f}" for count in row) for row in rows)


def parse_counts(text: str) -> NDArray[np.float64]:
    """Read counts that `counts_text` wrote.

    text (str): The text.
    RETURNS (ndarray): [documents, 3], float64.
    RAISES (ValueError): If the text does not have this format.

    >>> parse_counts("1,0,2 0,1,0").tolist()
    [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]
    """
    rows = np.array([row.split(",") for row in text.split()], dtype=np.float64)
    if not len(rows):
        return np.zeros((0, 3))
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ValueError("the counts are not rows of three")
    return rows
