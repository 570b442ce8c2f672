"""The terms of the student's loss.

With student logits z, teacher distributions p, word vectors t (teacher) and s (student), a plan T,
a received share w and a pair's weight v, all sums over words and averaged over the batch's words:

    hard            -log sum_{k in S} softmax(z)[k]            S is the gold tag; of a word without
                    entity in a partly labelled sentence, O and the tags of the labels that were
                    not annotated (marginal likelihood of a partial label)
    soft, target_kd KL(p || softmax(z / tau)) tau^2            response-based distillation;
                    target_kd counts a word 1 - y v w_j, where y is `kd_discount`, beside labels
    hidden          |s - t|^2 / var(t)                         feature-based distillation
    representation  v sum_ij T_ij (1 - cos(t_i, s_j)) / sum T  OPTICAL (arXiv 2301.12566), <T, C>
    labels          -v w_j q_j . log softmax(z_j),  q_j = sum_i T_ij p_i / sum_i T_ij
"""

import torch
from torch.nn import functional as F


def hard(
    logits: torch.Tensor, tags: torch.Tensor, also: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy to gold tags; where several tags may be right, to the sum of their shares.

    logits (Tensor): [B, W, tags].
    tags (Tensor): [B, W], -100 where there is none.
    also (Optional[Tensor]): Tags that words with tag O (0) may have as well, [B, K], padded with 0.
    RETURNS (Tensor): The mean over words that have a tag.
    """
    if also is None or not also.shape[1]:
        return F.cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=-100)
    count = logits.shape[-1]
    possible = F.one_hot(tags.clamp(min=0), count).bool()
    more = F.one_hot(also, count).sum(dim=1).bool()
    possible |= (tags == 0)[:, :, None] & more[:, None]
    shares = F.log_softmax(logits, dim=-1).masked_fill(~possible, -torch.inf)
    return -shares.logsumexp(dim=-1)[tags >= 0].mean()


def soft(
    logits: torch.Tensor,
    teacher: torch.Tensor,
    words: torch.Tensor,
    temperature: float,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Kullback-Leibler divergence from the teacher's distributions.

    logits, teacher (Tensor): Scores of student and teacher, [B, W, tags].
    words (Tensor): [B, W], true where there is a word.
    temperature (float): Softens both; the result is scaled back by its square.
    weight (Optional[Tensor]): How much each word counts, [B, W], 0 to 1; in full without it.
    RETURNS (Tensor): The sum over words, divided by their number.
    """
    student = F.log_softmax(logits[words] / temperature, dim=-1)
    target = F.log_softmax(teacher[words] / temperature, dim=-1)
    apart = F.kl_div(student, target, reduction="none", log_target=True).sum(dim=-1)
    return (apart if weight is None else apart * weight[words]).mean() * temperature**2


def hidden(student: torch.Tensor, teacher: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Squared distance to the teacher's word vectors, as a share of their variance.

    student, teacher (Tensor): Word vectors, [B, W, d].
    words (Tensor): [B, W], true where there is a word.
    RETURNS (Tensor): 0 for a perfect copy, 1 for the constant mean.
    """
    target = teacher[words]
    spread = (target - target.mean(dim=0)).pow(2).mean().clamp(min=1e-8)
    return F.mse_loss(student[words], target) / spread


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
    centre (Tensor): The teacher's mean word vector, [d]; taken off both sides.
    weight (Optional[Tensor]): How much each pair counts, [B, 1], 0 to 1; all in full without it.
    RETURNS (Tensor): The mean cost of a unit of mass times the weight, averaged over pairs; the
        gradient reaches the cost alone, not the plan.
    """
    cosine = F.normalize(source - centre, dim=-1) @ F.normalize(target - centre, dim=-1).mT
    mass = plan.sum(dim=(1, 2)).clamp(min=1e-8)
    costs = (plan * (1 - cosine)).sum(dim=(1, 2)) / mass
    return (costs if weight is None else costs * weight[:, 0]).mean()


def labels(
    logits: torch.Tensor, projected: torch.Tensor, weight: torch.Tensor, words: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy to the label distributions that came through the plan.

    logits (Tensor): The student's scores of target words, [B, N, tags].
    projected (Tensor): Distributions over tags, [B, N, tags].
    weight (Tensor): How far each is trusted, [B, N], 0 to 1.
    words (Tensor): [B, N], true where there is a word.
    RETURNS (Tensor): The weighted sum over words, divided by the number of words.
    """
    cross = -(projected * F.log_softmax(logits, dim=-1)).sum(dim=-1)
    return (cross * weight)[words].sum() / words.sum().clamp(min=1)
