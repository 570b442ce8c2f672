"""The directions of a teacher's vectors that a narrower student keeps, chosen on text.

The basis is that of the largest second moments of the hidden vectors (a principal component
analysis that leaves the mean in, as SliceGPT rotates a model, Ashkboos et al. 2024, arXiv
2401.15024: with the mean out, biases would need it back); the word table times the basis is
XtremeDistil's factorised table (Mukherjee and Awadallah, ACL 2020) without its second factor. A
layer norm does not rotate, so its gains and biases are fitted again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..runtime.pieces import WordPieces
from .sentences import Sentence
from .tagger import WordTagger
from .teacher_outputs import read_sentences

Hook = Callable[..., Any]  # module, its arguments, its output


@dataclass(frozen=True)
class WidthPruning:
    """How a teacher's weights become a narrower student's.

    basis (Tensor): Orthonormal columns, [d, width]: a vector t of the teacher is t @ basis here.
    heads (Dict[int, Tensor]): For each kept layer the rows of its query, key and value that stay.
    norms (Dict[str, Tensor]): Gains and biases of layer norms, [width], by the weight's name.
    """

    basis: torch.Tensor
    heads: dict[int, torch.Tensor]
    norms: dict[str, torch.Tensor]

    def apply(self, name: str, weight: torch.Tensor, layer: int) -> torch.Tensor:
        """Give a weight that reads from and writes to the narrower vectors.

        The teacher's weight is already cut to the layers, neurons and pieces that stay. Its name
        and layer are those in the teacher.
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
        return weight  # the biases of what is not as wide as the vectors


def find_width_pruning(
    teacher: WordTagger,
    layers: Sequence[int],
    width: int,
    sentences: Sequence[Sentence],
    pieces: WordPieces,
    *,
    basis: torch.Tensor | None = None,
) -> WidthPruning:
    """Find the directions, heads and norms that say most about some text.

    teacher (WordTagger): The teacher.
    layers (Sequence[int]): Its layers that stay, counted from 0.
    width (int): How many directions stay; a multiple of a head's size.
    sentences (Sequence[Sentence]): The text, in the languages that the student is for.
    pieces (WordPieces): The teacher's tokenizer.
    basis (Optional[Tensor]): Directions to use instead, [d, width].
    RETURNS (WidthPruning): The directions of largest second moment over the embeddings' output and
        that of the kept layers, each counted alike; the heads whose output is largest; the least
        squares fit of every layer norm's output from its input, both seen through the basis.
    """
    base = teacher.model.base_model
    blocks = {layer: base.encoder.layer[layer] for layer in layers}
    streams = [base.embeddings.LayerNorm, *(b.output.LayerNorm for b in blocks.values())]
    moments = [torch.zeros(2 * [base.config.hidden_size], dtype=torch.float64) for _ in streams]
    strength = {layer: torch.zeros(base.config.num_attention_heads) for layer in layers}

    def add_moment(number: int) -> Hook:
        def hook(_: nn.Module, given: Any, out: torch.Tensor) -> None:
            flat = out.flatten(0, -2).double()
            moments[number] += flat.T @ flat

        return hook

    def add_heads(layer: int) -> Hook:
        def hook(module: Any, given: Any, out: torch.Tensor) -> None:
            count = len(strength[layer])
            context = given[0].flatten(0, -2).unflatten(-1, (count, -1))
            written = torch.einsum("phs,dhs->phd", context, module.weight.unflatten(1, (count, -1)))
            strength[layer] += written.pow(2).sum(dim=(0, 2))

        return hook

    first = [(module, add_moment(i)) for i, module in enumerate(streams)]
    first += [(b.attention.output.dense, add_heads(layer)) for layer, b in blocks.items()]
    with watching(first), _exactly(teacher):
        read_sentences(teacher, sentences, pieces, batch_size=1)  # padding would count
    whole = torch.stack([moment / moment.trace() for moment in moments]).sum(dim=0)
    if basis is None:
        basis = torch.linalg.eigh(whole).eigenvectors[:, -width:].flip(1).float().contiguous()
    size = base.config.hidden_size // base.config.num_attention_heads
    heads = {}
    for layer in layers:  # the rows of the heads that say most
        kept = strength[layer].topk(width // size).indices.sort().values
        heads[layer] = (kept[:, None] * size + torch.arange(size)).flatten()

    modules = {*streams, *(b.attention.output.LayerNorm for b in blocks.values())}
    found = [(name, module) for name, module in teacher.model.named_modules() if module in modules]
    fits = {name: _Fit(basis) for name, _ in found}
    with watching([(module, fits[name].add) for name, module in found]), _exactly(teacher):
        read_sentences(teacher, sentences, pieces, batch_size=1)
    norms = {}
    for name, fit in fits.items():
        norms[f"{name}.weight"], norms[f"{name}.bias"] = fit.solved()
    return WidthPruning(basis, heads, norms)


class _Fit:
    """Least squares of a layer norm's output from its input, for each direction alone."""

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
def _exactly(teacher: WordTagger) -> Iterator[None]:
    """Let a teacher read in fp32."""
    was, teacher.bf16 = teacher.bf16, False
    try:
        yield
    finally:
        teacher.bf16 = was


@contextmanager
def watching(hooks: Sequence[tuple[nn.Module, Hook]]) -> Iterator[None]:
    """Call hooks with what modules give, while the block runs."""
    handles = [module.register_forward_hook(hook) for module, hook in hooks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
