"""Sinkhorn for many pairs at once, in the log domain, with torch: for GPUs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compat import require
from ..errors import Errors, OpticalError
from .config import AlignConfig
from .transport import Plan, checked_plan, checked_problem

if TYPE_CHECKING:
    import torch


SOLVERS = ("entropic", "unbalanced")


def plan_batch(
    costs: Sequence[np.ndarray],
    source_masses: Sequence[np.ndarray],
    target_masses: Sequence[np.ndarray],
    config: AlignConfig,
    *,
    similarities: Sequence[float] | None = None,
    device: str = "cpu",
    batch_size: int = 256,
) -> list[Plan]:
    """Do what `plan` does for many pairs, those of like size together.

    costs (Sequence[ndarray]): B costs [m_i, n_i].
    source_masses (Sequence[ndarray]): B masses [m_i].
    target_masses (Sequence[ndarray]): B masses [n_i].
    config (AlignConfig): The solver, `entropic` or `unbalanced`, and its settings.
    similarities (Optional[Sequence[float]]): How parallel each pair is, for the plans to keep.
    device (str): Where torch computes, e.g. `cuda`.
    batch_size (int): Pairs solved together.
    RETURNS (List[Plan]): One for each pair, in their order.
    RAISES (OpticalError): If the solver is another, or as `plan`.
    """
    if config.solver not in SOLVERS:
        raise OpticalError(Errors.E321.format(solver=config.solver, allowed=", ".join(SOLVERS)))
    given = zip(costs, source_masses, target_masses, strict=True)
    problems = [checked_problem(*problem) for problem in given]
    alike = similarities if similarities is not None else [1.0] * len(problems)
    order = sorted(range(len(problems)), key=lambda i: problems[i][0].shape)
    found: dict[int, Plan] = {}
    for start in range(0, len(order), batch_size):
        part = order[start : start + batch_size]
        matrices = sinkhorn_batch(
            [problems[i][0] for i in part],
            [problems[i][1] for i in part],
            # Both sides sum to the same up to rounding, which never converges.
            [problems[i][2] * (problems[i][1].sum() / problems[i][2].sum()) for i in part],
            config.regularisation,
            config.relaxation if config.solver == "unbalanced" else None,
            device=device,
        )
        for i, matrix in zip(part, matrices, strict=True):
            _, a, b = problems[i]
            found[i] = checked_plan(matrix, a, b, config, alike[i])
    return [found[i] for i in range(len(problems))]


def sinkhorn_batch(
    costs: Sequence[np.ndarray],
    source_masses: Sequence[np.ndarray],
    target_masses: Sequence[np.ndarray],
    regularisation: float,
    relaxation: float | None = None,
    *,
    device: str = "cpu",
    iterations: int = 2000,
    tolerance: float = 1e-6,
) -> list[np.ndarray]:
    r"""Solve problems of different sizes together, padded to the largest.

    $$ f_i \leftarrow \rho\,\varepsilon\Bigl(\log a_i - \operatorname{LSE}_j
       \bigl(g_j/\varepsilon + \log k_{ij}\bigr)\Bigr), \qquad
       T_{ij} = k_{ij}\,e^{(f_i + g_j)/\varepsilon} $$

    and the same for $g$ with $b$. Balanced (Cuturi 2013): $k = e^{-C/\varepsilon}$, $\rho = 1$.
    Unbalanced (Chizat et al. 2018, as POT's `sinkhorn_unbalanced`):
    $k = a b^\top e^{-C/\varepsilon}$, $\rho = \tau / (\tau + \varepsilon)$. Nothing under- or
    overflows, whatever the ratio of cost and regularisation.

    costs (Sequence[ndarray]): B costs [m_i, n_i].
    source_masses (Sequence[ndarray]): B masses [m_i], not negative.
    target_masses (Sequence[ndarray]): B masses [n_i]. For a balanced problem both sides must sum
        to the same.
    regularisation (float): $\varepsilon$, the weight of the entropy.
    relaxation (Optional[float]): $\tau$, the weight of the marginals; balanced if there is none.
    device (str): Where torch computes, e.g. `cuda`. In double precision.
    iterations (int): The most there are.
    tolerance (float): Stop when no $f$ changes by more than this times $\varepsilon$.
    RETURNS (List[ndarray]): B plans [m_i, n_i], float64.
    """
    torch = require("torch")
    if not costs:
        return []
    shape = max(len(a) for a in source_masses), max(len(b) for b in target_masses)
    cost = torch.from_numpy(_padded(costs, shape)).to(device)
    log_a = torch.from_numpy(_padded(source_masses, shape[:1])).to(device).log()
    log_b = torch.from_numpy(_padded(target_masses, shape[1:])).to(device).log()
    log_k = -cost / regularisation
    share = 1.0
    if relaxation is not None:
        share = relaxation / (relaxation + regularisation)
        log_k = log_k + (log_a[:, :, None] + log_b[:, None, :])
    with torch.inference_mode():
        # Potentials over the regularisation; words without mass, as padding is, have none.
        f, g = torch.zeros_like(log_a), torch.zeros_like(log_b)
        for _ in range(iterations):
            before = f
            f = _potential(torch, log_a, log_k + g[:, None, :], share, dim=2)
            g = _potential(torch, log_b, log_k + f[:, :, None], share, dim=1)
            if float(torch.nan_to_num(f - before, neginf=0.0).abs().max()) <= tolerance:
                break
        plans = (log_k + f[:, :, None] + g[:, None, :]).exp().cpu().numpy()
    return [plan[: c.shape[0], : c.shape[1]] for plan, c in zip(plans, costs, strict=True)]


def _potential(
    torch: Any, log_mass: "torch.Tensor", terms: "torch.Tensor", share: float, dim: int
) -> "torch.Tensor":
    found = share * (log_mass - torch.logsumexp(terms, dim=dim))
    return torch.where(log_mass.isneginf(), log_mass, found)


def _padded(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros((len(arrays), *shape))
    for row, array in enumerate(arrays):
        place = tuple(slice(size) for size in array.shape)
        out[row][place] = array
    return out
