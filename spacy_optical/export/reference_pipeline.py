"""The teacher as a spaCy pipeline with torch, for comparison with the student."""

from pathlib import Path

import spacy
from spacy.language import Language

from ..distill.tagger import load_tagger
from ..errors import Errors, OpticalError
from ..files import folder_written_whole


def reference_pipeline(teacher: Path, out: Path) -> Language:
    """Write a pipeline of spacy-transformers' `transformer` and the teacher's last layer.

    teacher (Path): The folder of the teacher.
    out (Path): The folder of the pipeline.
    RETURNS (Language): The pipeline.
    RAISES (OpticalError): If the teacher is incomplete or pools pieces to words before its last
        layer.
    """
    teacher = Path(teacher)
    tagger = load_tagger(teacher)
    if tagger.pool_after is not None:
        raise OpticalError(Errors.E420.format(path=teacher))
    nlp = spacy.blank("xx")
    model = {
        "@architectures": "spacy-transformers.TransformerModel.v3",
        "name": str(teacher.resolve()),
        "get_spans": {
            "@span_getters": "spacy-transformers.strided_spans.v1",
            "window": 96,
            "stride": 72,
        },
        "tokenizer_config": {"use_fast": True},
    }
    nlp.add_pipe("transformer", config={"model": model})
    head = nlp.add_pipe("optical_head")
    nlp.initialize()
    classifier = tagger.model.classifier
    head.set_weights(  # type: ignore[attr-defined]
        tagger.labels, classifier.weight.detach().numpy(), classifier.bias.detach().numpy()
    )
    # The path of the weights is of no use on other machines.
    nlp.get_pipe_config("transformer")["model"]["name"] = teacher.name
    with folder_written_whole(out, marker="config.cfg") as folder:
        nlp.to_disk(folder)
    return nlp
