"""A model's bytes, laid out so that the runtime can map large weights instead of copying them."""

from typing import TYPE_CHECKING

from ..runtime.onnx_wire import places

if TYPE_CHECKING:
    from onnx import ModelProto

# A description is not there when it is empty; otherwise its tag and its length come before it.
BEFORE = 2


def laid_out(model: "ModelProto") -> bytes:
    """Write a model so that every large weight begins at a multiple of its numbers' size.

    Protocol buffers align nothing. Blanks in what is written before a weight move it: in the
    description (`doc_string`) of the weight before it, or of the model before the first.

    model (ModelProto): The model; its descriptions change.
    RETURNS (bytes): The file's content.
    """
    weights = model.graph.initializer
    for holder in (model, *weights):
        holder.doc_string = ""
    content: bytes = model.SerializeToString()
    found = places(content)
    # The second time finds what a longer length moved, which is rare, or nothing.
    while not all(place.mappable for place in found.values()):
        moved = 0
        for index, place in found.items():
            missing = -(place.start + moved) % place.number_size
            if missing:
                holder = weights[index - 1] if index else model
                before = len(holder.doc_string)
                blanks = missing if before else (missing - BEFORE) % place.number_size
                blanks = blanks or place.number_size
                holder.doc_string += " " * blanks
                moved += blanks if before else BEFORE + blanks
        content = model.SerializeToString()
        found = places(content)
    return content
