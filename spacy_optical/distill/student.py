"""Initialisation of a student with a part of its teacher's weights.

If the student has a smaller width, its hidden vectors are the teacher's, projected to the
directions with the largest second moments. This is a principal component analysis without
centring, as in SliceGPT (Ashkboos et al. 2024, arXiv 2401.15024). A layer norm cannot be projected,
so its gains and biases are fitted.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForTokenClassification
from transformers.modeling_utils import PreTrainedModel

from ..encoders.folder import most_pieces, position_offset
from ..encoders.vocabulary_trimming import Vocabulary
from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from .config import Student
from .sentences import Sentence
from .tagger import ATTENTION, WordTagger, read_sentences

# Weights of a layer that have the feed-forward size, and its dimension in them.
_FEED_FORWARD = {
    "intermediate.dense.weight": 0,
    "intermediate.dense.bias": 0,
    "output.dense.weight": 1,
}
Hook = Callable[..., Any]  # module, its arguments, its output


class WidthPruning(NamedTuple):
    """The parameters of a width pruning.

    basis (Tensor): Orthonormal columns, [d, width]. The student's vector is `t @ basis` for a
        vector t of the teacher.
    heads (Dict[int, Tensor]): For each kept layer, the rows of query, key and value to keep.
    norms (Dict[str, Tensor]): Gains and biases of layer norms, [width], by the weight's name.
    """

    basis: torch.Tensor
    heads: dict[int, torch.Tensor]
    norms: dict[str, torch.Tensor]

    def apply(self, name: str, weight: torch.Tensor, layer: int) -> torch.Tensor:
        """Prune a weight of the teacher.

        name (str): The weight's name in the teacher.
        weight (Tensor): The weight, with the neurons and pieces to keep.
        layer (int): The layer in the teacher.
        RETURNS (Tensor): The student's weight.
        """
        if "LayerNorm" in name:
            return self.norms[name]
        if ".attention.self." in name:
            weight = weight[self.heads[layer]]
            return weight @ self.basis if weight.ndim == 2 else weight
        if name.endswith(".attention.output.dense.weight"):
            return self.basis.T @ weight[:, self.heads[layer]]
        if name.endswith(".output.dense.weight"):
            return self.basis.T @ weight
        if name.endswith(".output.dense.bias") or weight.ndim == 2:
            return weight @ self.basis
        return weight  # biases of another size


class NeuronOutputs(NamedTuple):
    """Mean and variance of the outputs of a layer's feed-forward neurons, [intermediate] each."""

    mean: torch.Tensor
    variance: torch.Tensor


def neuron_outputs(
    teacher: WordTagger, sentences: Sequence[Sentence], pieces: WordPieces
) -> list[NeuronOutputs]:
    """Measure the outputs of the feed-forward neurons of a teacher on sentences.

    teacher (WordTagger): The teacher. Its precision is set to fp32.
    sentences (Sequence[Sentence]): The sentences.
    pieces (WordPieces): The teacher's tokenizer.
    RETURNS (List[NeuronOutputs]): Mean and variance over all pieces, for each layer.
    """
    teacher.set_precision("fp32")
    layers = teacher.model.base_model.encoder.layer
    size = teacher.model.config.intermediate_size
    # The count, and the sums of values and squares.
    sums = [torch.zeros(3, size, dtype=torch.float64) for _ in layers]

    def add_outputs(total: torch.Tensor, module: Any, given: Any, out: torch.Tensor) -> None:
        values = out.flatten(0, -2).double()
        total += torch.stack([torch.ones_like(values), values, values.pow(2)]).sum(dim=1)

    hooks = [
        (block.intermediate, partial(add_outputs, total))
        for block, total in zip(layers, sums, strict=True)
    ]
    with forward_hooks(hooks):
        read_sentences(teacher, sentences, pieces, batch_size=1)  # padding would count
    outputs = []
    for count, total, squares in sums:
        mean = total / count
        variance = (squares / count - mean**2).clamp(min=0)
        outputs.append(NeuronOutputs(mean.float(), variance.float()))
    return outputs


def find_width_pruning(
    teacher: WordTagger,
    layers: Sequence[int],
    width: int,
    sentences: Sequence[Sentence],
    pieces: WordPieces,
) -> WidthPruning:
    """Find the directions, heads and norms of a width pruning.

    teacher (WordTagger): The teacher. Its precision is set to fp32.
    layers (Sequence[int]): The layers to keep, counted from 0.
    width (int): The number of directions, a multiple of a head's size.
    sentences (Sequence[Sentence]): Text in the languages of the student.
    pieces (WordPieces): The teacher's tokenizer.
    RETURNS (WidthPruning): The directions with the largest second moments in the embeddings and in
        the output of the kept layers, all weighted the same; the heads with the largest output; and
        the least squares fit of each layer norm's projected output from its projected input.
    """
    teacher.set_precision("fp32")
    base = teacher.model.base_model
    blocks = {layer: base.encoder.layer[layer] for layer in layers}
    streams = [base.embeddings.LayerNorm, *(b.output.LayerNorm for b in blocks.values())]
    moments = [torch.zeros(2 * [base.config.hidden_size], dtype=torch.float64) for _ in streams]
    strength = {layer: torch.zeros(base.config.num_attention_heads) for layer in layers}

    def add_moment(moment: torch.Tensor, module: nn.Module, given: Any, out: torch.Tensor) -> None:
        flat = out.flatten(0, -2).double()
        moment += flat.T @ flat

    def add_heads(strength: torch.Tensor, module: Any, given: Any, out: torch.Tensor) -> None:
        count = len(strength)
        context = given[0].flatten(0, -2).unflatten(-1, (count, -1))
        written = torch.einsum("phs,dhs->phd", context, module.weight.unflatten(1, (count, -1)))
        strength += written.pow(2).sum(dim=(0, 2))

    hooks = [(norm, partial(add_moment, one)) for norm, one in zip(streams, moments, strict=True)]
    hooks += [
        (b.attention.output.dense, partial(add_heads, strength[i])) for i, b in blocks.items()
    ]
    with forward_hooks(hooks):
        read_sentences(teacher, sentences, pieces, batch_size=1)  # padding would count
    whole = torch.stack([moment / moment.trace() for moment in moments]).sum(dim=0)
    basis = torch.linalg.eigh(whole).eigenvectors[:, -width:].flip(1).float().contiguous()
    size = base.config.hidden_size // base.config.num_attention_heads
    heads = {}
    for layer in layers:  # the rows of the strongest heads
        kept = strength[layer].topk(width // size).indices.sort().values
        heads[layer] = (kept[:, None] * size + torch.arange(size)).flatten()

    modules = {*streams, *(b.attention.output.LayerNorm for b in blocks.values())}
    found = [(name, module) for name, module in teacher.model.named_modules() if module in modules]
    fits = {name: _Fit(basis) for name, _ in found}
    with forward_hooks([(module, fits[name].add) for name, module in found]):
        read_sentences(teacher, sentences, pieces, batch_size=1)
    norms = {}
    for name, fit in fits.items():
        norms[f"{name}.weight"], norms[f"{name}.bias"] = fit.solved()
    return WidthPruning(basis, heads, norms)


class _Fit:
    """Least squares fit of a layer norm's output from its input, for each direction."""

    def __init__(self, basis: torch.Tensor) -> None:
        self.basis = basis
        self.sums = torch.zeros(4, basis.shape[1], dtype=torch.float64)
        self.count = 0

    def add(self, module: nn.Module, given: Any, out: torch.Tensor) -> None:
        x = nn.functional.layer_norm(given[0] @ self.basis, self.basis.shape[1:])
        x, y = x.flatten(0, -2).double(), (out @ self.basis).flatten(0, -2).double()
        self.sums += torch.stack([x.sum(0), y.sum(0), (x * x).sum(0), (x * y).sum(0)])
        self.count += len(x)

    def solved(self) -> tuple[torch.Tensor, torch.Tensor]:
        mean_x, mean_y, square, product = self.sums / self.count
        gain = (product - mean_x * mean_y) / (square - mean_x**2).clamp(min=1e-12)
        return gain.float(), (mean_y - gain * mean_x).float()


@contextmanager
def forward_hooks(hooks: Sequence[tuple[nn.Module, Hook]]) -> Iterator[None]:
    """Register forward hooks on modules while the block runs."""
    with ExitStack() as stack:
        for module, hook in hooks:
            stack.enter_context(module.register_forward_hook(hook))
        yield


def make_student(
    teacher: WordTagger,
    shape: Student,
    vocabulary: Vocabulary,
    outputs: Sequence[NeuronOutputs],
    pruning: WidthPruning | None = None,
) -> WordTagger:
    """Make a student from a part of a teacher's weights.

    teacher (WordTagger): The teacher.
    shape (Student): The student's shape.
    vocabulary (Vocabulary): The pieces to keep.
    outputs (Sequence[NeuronOutputs]): The result of `neuron_outputs`. The feed-forward neurons with
        the largest standard deviation times norm of the outgoing weights are kept, and the mean of
        the others is added to the bias.
    pruning (Optional[WidthPruning]): The result of `find_width_pruning`, for another `width`.
    RETURNS (WordTagger): The student, not yet trained.
    RAISES (OpticalError): As `check_shape`.
    """
    check_shape(teacher, shape)
    big: PreTrainedModel = teacher.model
    config = copy.deepcopy(big.config)
    if pruning is not None:
        head = config.hidden_size // config.num_attention_heads
        config.hidden_size = pruning.basis.shape[1]
        config.num_attention_heads = config.hidden_size // head
    config.num_hidden_layers = len(shape.layers)
    config.pool_after = shape.pool_after
    config.intermediate_size = shape.intermediate or config.intermediate_size
    config.vocab_size = len(vocabulary.old_ids)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        old = getattr(config, name, None)
        if old is not None and old in vocabulary.old_ids:
            setattr(config, name, int(np.searchsorted(vocabulary.old_ids, old)))
    # RoBERTa counts positions from the id of the padding piece, which may have changed.
    unused = position_offset(big)
    moved = big.config.pad_token_id - config.pad_token_id if unused else 0
    positions = min(shape.positions, most_pieces(big))
    config.max_position_embeddings = positions + unused - moved
    small = AutoModelForTokenClassification.from_config(config, attn_implementation=ATTENTION)
    small.load_state_dict(_selected(big, small, shape, vocabulary, outputs, pruning))
    student = WordTagger(small)
    student.basis = None if pruning is None else pruning.basis
    return student


def check_shape(teacher: WordTagger, shape: Student) -> None:
    """Check that a teacher has the layers and sizes of a student.

    teacher (WordTagger): The teacher.
    shape (Student): The student's shape.
    RAISES (OpticalError): If the teacher does not have a layer or as many feed-forward neurons, or
        the width is above the teacher's or no multiple of a head's size.
    """
    config = teacher.model.config
    layer, layers = max(shape.layers), config.num_hidden_layers
    if layer >= layers:
        raise OpticalError(Errors.E406.format(layer=layer, layers=layers))
    neurons, most = shape.intermediate or 0, config.intermediate_size
    if neurons > most:
        raise OpticalError(Errors.E407.format(width=neurons, most=most))
    head = config.hidden_size // config.num_attention_heads
    width = shape.width or config.hidden_size
    if width % head or width > config.hidden_size:
        raise OpticalError(Errors.E419.format(width=width, head=head, most=config.hidden_size))


def _selected(
    big: PreTrainedModel,
    small: PreTrainedModel,
    shape: Student,
    vocabulary: Vocabulary,
    outputs: Sequence[NeuronOutputs],
    pruning: WidthPruning | None,
) -> dict[str, torch.Tensor]:
    """Select the weights of the student."""
    kept, neurons, weights = {}, {}, dict(big.state_dict())
    moved = position_offset(big) - position_offset(small)
    stem = f"{small.base_model_prefix}.encoder.layer."
    for layer in dict.fromkeys(shape.layers):
        outgoing = weights[f"{stem}{layer}.output.dense.weight"]
        strength = outgoing.norm(dim=0) * outputs[layer].variance.sqrt()
        neurons[layer] = strength.topk(small.config.intermediate_size).indices.sort().values
        missing = outputs[layer].mean.index_fill(0, neurons[layer], 0.0)
        bias = f"{stem}{layer}.output.dense.bias"
        weights[bias] = weights[bias] + outgoing @ missing
    for name in small.state_dict():
        source, dimension, index, layer = name, 0, None, -1
        if name.startswith(stem):
            number, _, part = name[len(stem) :].partition(".")
            layer = shape.layers[int(number)]
            source = f"{stem}{layer}.{part}"
            if part in _FEED_FORWARD:
                dimension, index = _FEED_FORWARD[part], neurons[layer]
        elif name.endswith("word_embeddings.weight"):
            index = torch.from_numpy(vocabulary.old_ids)
        elif name.endswith("position_embeddings.weight"):
            index = torch.arange(small.config.max_position_embeddings) + moved
        tensor = weights[source]
        tensor = tensor.clone() if index is None else tensor.index_select(dimension, index)
        kept[name] = tensor if pruning is None else pruning.apply(source, tensor, layer)
    return kept
