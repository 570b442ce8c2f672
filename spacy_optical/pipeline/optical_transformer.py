"""`optical_transformer`: a distilled student as a trainable transformer for other components.

The student is wrapped with spacy-transformers. `ner`, `tagger`, `textcat` and other components can
be trained on it with `spacy-transformers.TransformerListener.v1`, and `doc._.trf_data` is set.
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
    window: int = 48,
    stride: int = 36,
    mixed_precision: bool = False,
) -> Model:
    """Wrap a Hugging Face folder as a model of spacy-transformers.

    name (str): The student's folder. It is loaded when the pipeline is initialized. A saved
        pipeline contains the weights and does not need it.
    window (int): The number of tokens in a window. Windows with too many pieces for the student are
        truncated.
    stride (int): The number of tokens from the start of one window to the start of the next. If it
        is less than `window`, windows overlap.
    mixed_precision (bool): Whether to train in half precision, on a GPU.
    RETURNS (Model): The model. Input: documents. Output: transformer output.
    RAISES (OpticalError): If spacy-transformers is not installed. When the model is initialized: if
        `name` is not set, or a file in the folder is missing.
    """
    spans = require("spacy_transformers.span_getters").configure_strided_spans(window, stride)
    from ..encoders.word_pooling import PooledEncoder
    from .pooled_transformer import PoolingTransformer

    model = PoolingTransformer(
        str(Path(name).absolute()), spans, {"use_fast": True}, mixed_precision=mixed_precision
    )

    def init(model: Any, X: Any = None, Y: Any = None) -> None:
        if model.attrs["has_transformer"]:
            return
        from spacy_transformers.layers.transformer_model import huggingface_from_pretrained

        from ..encoders.folder import check_encoder, most_pieces

        if not name:
            raise OpticalError(Errors.E415)
        check_encoder(Path(name))
        settings = model._init_tokenizer_config, model._init_transformer_config
        student = huggingface_from_pretrained(
            model.attrs["name"], *settings, model_cls=PooledEncoder
        )
        model.attrs["set_transformer"](model, student)
        # Pieces after the last position embedding are truncated.
        model.tokenizer.model_max_length = most_pieces(model.transformer)

    model.init = init
    return model


@Language.factory(
    "optical_transformer",
    assigns=["doc._.trf_data"],
    default_config={
        "max_batch_items": 4096,
        "model": {"@architectures": "spacy_optical.Student.v1", "name": ""},
    },
)
def make_optical_transformer(
    nlp: Language,
    name: str,
    model: Model,
    max_batch_items: int,
) -> "Transformer":
    """Make a transformer component from a student.

    model (Model): The model, made by `spacy_optical.Student.v1`.
    max_batch_items (int): The maximum size of a batch: number of spans times length of the longest.
    RETURNS (Transformer): The component of spacy-transformers.
    """
    return require("spacy_transformers").Transformer(
        nlp.vocab, model, max_batch_items=max_batch_items, name=name
    )
