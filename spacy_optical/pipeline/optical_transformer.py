"""`optical_transformer`: a distilled student as a trainable transformer for other components.

The student is wrapped by spacy-transformers, so that `ner`, `tagger`, `textcat` and the rest train
on it through `spacy-transformers.TransformerListener.v1`, and `doc._.trf_data` is filled.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy import registry
from spacy.language import Language
from thinc.api import Model

from ..compat import require
from ..errors import Errors, OpticalError

if TYPE_CHECKING:
    from spacy_transformers import Transformer


@registry.architectures("spacy_optical.Student.v1")
def make_student_model(
    name: str,
    window: int = 96,
    stride: int = 72,
    mixed_precision: bool = False,
) -> Model:
    """Wrap a Hugging Face folder as spacy-transformers' model.

    name (str): The student's folder; read when the pipeline is initialised, and not at all when
        the pipeline comes from disk, which holds the weights.
    window (int): Tokens read at once.
    stride (int): Tokens from the start of one window to the next; less than `window` overlaps.
    mixed_precision (bool): Train in half precision, on a GPU.
    RETURNS (Model): The model, from documents to transformer output.
    RAISES (OpticalError): If no student is named or spacy-transformers is not installed.
    """
    if not name:
        raise OpticalError(Errors.E115)
    spans = require("spacy_transformers.span_getters").configure_strided_spans(window, stride)
    settings: dict[str, Any] = {"use_fast": True, "model_max_length": 512}
    path = Path(name)
    source = str(path.resolve()) if path.is_dir() else name
    layers = require("spacy_transformers.layers")
    return layers.TransformerModel(source, spans, settings, mixed_precision=mixed_precision)


@Language.factory(
    "optical_transformer",
    assigns=["doc._.trf_data"],
    default_config={
        "max_batch_items": 4096,
        "model": {
            "@architectures": "spacy_optical.Student.v1",
            "name": "",
            "window": 96,
            "stride": 72,
            "mixed_precision": False,
        },
    },
)
def make_optical_transformer(
    nlp: Language,
    name: str,
    model: Model,
    max_batch_items: int,
) -> "Transformer":
    """Make a transformer component from a student.

    model (Model): See `spacy_optical.Student.v1`.
    max_batch_items (int): The most items of a batch, padding included.
    RETURNS (Transformer): spacy-transformers' own component.
    """
    return require("spacy_transformers").Transformer(
        nlp.vocab, model, max_batch_items=max_batch_items, name=name
    )
