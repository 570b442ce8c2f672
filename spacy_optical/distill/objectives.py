"""The student's losses. docs/method.md has the equations.

All are averages over the words of a batch, `representation` over its pairs. `target_kd` is `soft`
on target sentences.
"""

import torch
from torch.nn import functional as F


def hard(
    logits: torch.Tensor, tags: torch.Tensor, also: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy to gold tags, the marginal likelihood if a word has several possible tags.

    logits (Tensor): The student's scores, [B, W, tags].
    tags (Tensor): Gold tags, [B, W], -100 where there is none.
    also (Optional[Tensor]): Tags that words with tag O (0) may have too, [B, K], padded with 0.
    RETURNS (Tensor): The mean over words with a tag.
    """
    if also is None or not also.shape[1]:
        return F.cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=-100)
    count = logits.shape[-1]
    possible = F.one_hot(tags.clamp(min=0), count).bool()
    more = F.one_hot(also, count).sum(dim=1).bool()
    possible |= (tags == 0)[:, :, None] & more[:, None]
    log_probs = F.log_softmax(logits, dim=-1).masked_fill(~possible, -torch.inf)
    return -log_probs.logsumexp(dim=-1)[tags >= 0].mean()


def soft(
    logits: torch.Tensor,
    teacher: torch.Tensor,
    words: torch.Tensor,
    temperature: float,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Kullback-Leibler divergence from the teacher's distributions (arXiv 1503.02531).

    logits, teacher (Tensor): Scores of student and teacher, [B, W, tags].
    words (Tensor): [B, W], true where there is a word.
    temperature (float): Divides both scores. The result is multiplied by its square.
    weight (Optional[Tensor]): The weight of each word, [B, W], 0 to 1; by default 1.
    RETURNS (Tensor): The mean over words.
    """
    student = F.log_softmax(logits[words] / temperature, dim=-1)
    target = F.log_softmax(teacher[words] / temperature, dim=-1)
    losses = F.kl_div(student, target, reduction="none", log_target=True).sum(dim=-1)
    return (losses if weight is None else losses * weight[words]).mean() * temperature**2


def hidden(student: torch.Tensor, teacher: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Squared distance to the teacher's word vectors, divided by their variance.

    student, teacher (Tensor): Word vectors, [B, W, d].
    words (Tensor): [B, W], true where there is a word.
    RETURNS (Tensor): The distance: 0 for equal vectors, 1 if all are the teacher's mean. If the
        teacher's vectors are nearly the same, their mean square replaces the variance.
    """
    target = teacher[words]
    square = target.pow(2).mean()
    variance = (target - target.mean(dim=0)).pow(2).mean()
    # A single word, or a repeated sentence of one word, has no variance to divide by.
    variance = torch.where(variance > 1e-3 * square, variance, square).clamp(min=1e-8)
    return F.mse_loss(student[words], target) / variance


def representation(
    source: torch.Tensor,
    target: torch.Tensor,
    plan: torch.Tensor,
    centre: torch.Tensor,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """The transport cost <T, C> under a fixed plan (OPTICAL, arXiv 2301.12566).

    source (Tensor): The teacher's vectors of the English words, [B, M, d].
    target (Tensor): The student's vectors of the target words, [B, N, d].
    plan (Tensor): Transported mass, [B, M, N]; 0 on padding.
    centre (Tensor): The teacher's mean word vector, [d], subtracted from both sides.
    weight (Optional[Tensor]): The weight of each pair, [B, 1], 0 to 1; by default 1.
    RETURNS (Tensor): The cost of a unit of mass times the weight, averaged over pairs.
    """
    cosine = F.normalize(source - centre, dim=-1) @ F.normalize(target - centre, dim=-1).mT
    mass = plan.sum(dim=(1, 2)).clamp(min=1e-8)
    costs = (plan * (1 - cosine)).sum(dim=(1, 2)) / mass
    return (costs if weight is None else costs * weight[:, 0]).mean()


def labels(
    logits: torch.Tensor, projected: torch.Tensor, weight: torch.Tensor, words: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy to the projected label distributions.

    logits (Tensor): The student's scores of target words, [B, N, tags].
    projected (Tensor): Distributions over tags, [B, N, tags].
    weight (Tensor): The weight of each word, [B, N], 0 to 1.
    words (Tensor): [B, N], true where there is a word.
    RETURNS (Tensor): The weighted sum over words, divided by the number of words.
    """
    cross = -(projected * F.log_softmax(logits, dim=-1)).sum(dim=-1)
    return (cross * weight)[words].sum() / words.sum().clamp(min=1)
