"""Several processes that train one model, as `accelerate launch` starts them.

All draw the same batches in the same order; each learns from its part of every batch, and the
gradients are added up before the step, which is then the same everywhere. torch's
`DistributedDataParallel` is not used: it wants one forward pass a step and a gradient of every
weight, while a student reads two sides and some objectives leave layers out.
"""

import atexit
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, parse_flag_from_env
from torch import distributed

from ..errors import OpticalError

Result = TypeVar("Result")

# The others wait while the first makes plans, which takes hours; one that dies is noticed at once.
PATIENCE = timedelta(weeks=1)


@cache
def world() -> PartialState:
    """Join the other processes, if there are any; `device` is where this one computes.

    That is a GPU where torch has one. `ACCELERATE_USE_CPU=true` keeps the work on the CPU.
    """
    # Without `cpu`, accelerate joins no processes where no GPU is.
    here = PartialState(cpu=not _gpu_is_wanted(), timeout=PATIENCE)
    if here.num_processes > 1:
        # Threads of gloo that are left at the end may abort the process.
        atexit.register(here.destroy_process_group)
    return here


def _gpu_is_wanted() -> bool:
    return torch.cuda.is_available() and not parse_flag_from_env("ACCELERATE_USE_CPU")


def launched_in_vain() -> bool:
    """Say whether `accelerate launch --cpu` was asked for several processes and started one."""
    # It leaves the starting to mpirun, and sets the address for several processes alone.
    asked = os.environ.get("ACCELERATE_USE_CPU") == "True" and "MASTER_ADDR" in os.environ
    return asked and world().num_processes == 1


def on_main(work: Callable[[], Result]) -> Result:
    """Do something in the main process while the others wait; all of them return or raise it."""
    here = world()
    if here.num_processes == 1:
        return work()
    message: list[Any] = [None, None]
    if here.is_main_process:
        try:
            message[0] = work()
        except OpticalError as err:
            message[1] = err
    broadcast_object_list(message)
    if message[1] is not None:
        raise message[1]
    return message[0]


def add_up(weights: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
    """Add up gradients over all processes, in place, and return the sum of their losses."""
    if world().num_processes == 1:
        return loss
    # A weight that no process has a gradient of must stay without: a zero would decay it.
    present = loss.new_tensor([float(weight.grad is not None) for weight in weights])
    grads = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
    parts = [loss.reshape(1), present, *(grad.flatten() for grad in grads)]
    flat = torch.cat(parts)
    distributed.all_reduce(flat)
    total, present, *summed = flat.split([part.numel() for part in parts])
    for weight, there, grad in zip(weights, present, summed, strict=True):
        weight.grad = grad.view_as(weight) if there else None
    return total[0]
