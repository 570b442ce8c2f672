"""The student: a smaller copy of the teacher, made of the teacher's own weights."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from transformers import AutoModelForTokenClassification
from transformers.modeling_utils import PreTrainedModel

from ..encoders.folder import position_offset
from ..encoders.vocabulary_trimming import Vocabulary
from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from .config import Student
from .sentences import Sentence
from .tagger import WordTagger
from .teacher_outputs import read_sentences
from .width_pruning import Hook, WidthPruning, watching

# Parts of a layer that the feed-forward width shapes: the dimension it runs along.
_FEED_FORWARD = {
    "intermediate.dense.weight": 0,
    "intermediate.dense.bias": 0,
    "output.dense.weight": 1,
}


def neuron_activity(
    teacher: WordTagger, sentences: Sequence[Sentence], pieces: WordPieces
) -> list[torch.Tensor]:
    """Measure how much each feed-forward neuron of a teacher says about some text.

    RETURNS (List[Tensor]): For each layer [intermediate], the mean square of its neurons' output.
    """
    layers = teacher.model.base_model.encoder.layer
    sums = [torch.zeros(teacher.model.config.intermediate_size) for _ in layers]

    def adding_to(total: torch.Tensor) -> Hook:
        return lambda module, given, out: total.add_(out.pow(2).mean(dim=(0, 1)))

    hooks = [(b.intermediate, adding_to(total)) for b, total in zip(layers, sums, strict=True)]
    with watching(hooks):
        read_sentences(teacher, sentences, pieces)
    return sums


def make_student(
    teacher: WordTagger,
    shape: Student,
    vocabulary: Vocabulary,
    activity: Sequence[torch.Tensor] | None = None,
    pruning: WidthPruning | None = None,
) -> WordTagger:
    """Cut a student out of a teacher.

    teacher (WordTagger): The teacher.
    shape (Student): The student's shape.
    vocabulary (Vocabulary): The pieces to keep.
    activity (Optional[Sequence[Tensor]]): What `neuron_activity` gave. Of a feed-forward part those
        neurons stay that say most, times the norm of their outgoing weights; without it, those
        with the largest product of incoming and outgoing norms.
    pruning (Optional[WidthPruning]): What `find_width_pruning` gave, for another `width`.
    RETURNS (WordTagger): The student, not yet trained.
    RAISES (OpticalError): If the teacher lacks a layer, or is narrower than the shape asks.
    """
    big: PreTrainedModel = teacher.model
    config = copy.deepcopy(big.config)
    check_width(teacher, shape)
    if (shape.width or config.hidden_size) != config.hidden_size and pruning is None:
        raise ValueError("a student of another width needs a width pruning")  # a mistake in code
    if pruning is not None:
        head = config.hidden_size // config.num_attention_heads
        config.hidden_size = pruning.basis.shape[1]
        config.num_attention_heads = config.hidden_size // head
    if max(shape.layers) >= config.num_hidden_layers:
        layer, layers = max(shape.layers), config.num_hidden_layers
        raise OpticalError(Errors.E406.format(layer=layer, layers=layers))
    width = shape.intermediate or config.intermediate_size
    if width > config.intermediate_size:
        raise OpticalError(Errors.E407.format(width=width, most=config.intermediate_size))
    offset = position_offset(big)
    config.num_hidden_layers = len(shape.layers)
    config.pool_after = shape.pool_after
    config.intermediate_size = width
    config.vocab_size = len(vocabulary.old_ids)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        old = getattr(config, name, None)
        if old is not None and old in vocabulary.old_ids:
            setattr(config, name, int(np.searchsorted(vocabulary.old_ids, old)))
    config.max_position_embeddings = min(shape.positions + offset, config.max_position_embeddings)
    small = AutoModelForTokenClassification.from_config(config, attn_implementation="sdpa")
    small.load_state_dict(_cut(big.state_dict(), small, shape, vocabulary, activity, pruning))
    student = WordTagger(small)
    student.basis = None if pruning is None else pruning.basis
    return student


def check_width(teacher: WordTagger, shape: Student) -> None:
    """Refuse a width that is no multiple of a head's size, or above the teacher's."""
    config = teacher.model.config
    head = config.hidden_size // config.num_attention_heads
    width = shape.width or config.hidden_size
    if width % head or width > config.hidden_size:
        raise OpticalError(Errors.E419.format(width=width, head=head, most=config.hidden_size))


def _cut(
    weights: dict[str, torch.Tensor],
    small: PreTrainedModel,
    shape: Student,
    vocabulary: Vocabulary,
    activity: Sequence[torch.Tensor] | None,
    pruning: WidthPruning | None,
) -> dict[str, torch.Tensor]:
    kept, neurons = {}, {}
    stem = f"{small.base_model_prefix}.encoder.layer."
    for layer in shape.layers:
        strength = weights[f"{stem}{layer}.output.dense.weight"].norm(dim=0)
        if activity is None:
            strength = strength * weights[f"{stem}{layer}.intermediate.dense.weight"].norm(dim=1)
        else:
            strength = strength * activity[layer].sqrt()
        strongest = strength.topk(small.config.intermediate_size)
        neurons[layer] = strongest.indices.sort().values
    for name in small.state_dict():
        source, dimension, index, layer = name, 0, None, -1
        if name.startswith(stem):
            number, _, part = name[len(stem) :].partition(".")
            layer = shape.layers[int(number)]
            source = f"{stem}{layer}.{part}"
            if part in _FEED_FORWARD:
                dimension, index = _FEED_FORWARD[part], neurons[layer]
        elif name.endswith("word_embeddings.weight"):
            dimension, index = 0, torch.from_numpy(vocabulary.old_ids)
        elif name.endswith("position_embeddings.weight"):
            dimension, index = 0, torch.arange(small.config.max_position_embeddings)
        tensor = weights[source]
        tensor = tensor.clone() if index is None else tensor.index_select(dimension, index)
        kept[name] = tensor if pruning is None else pruning.apply(source, tensor, layer)
    return kept
