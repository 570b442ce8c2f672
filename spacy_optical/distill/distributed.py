"""Training of one model in several processes, as `accelerate launch` starts them.

All processes draw the same batches in the same order. Each computes its part of every batch, and
the gradients are summed before the step, which is then the same in every process. torch's
`DistributedDataParallel` is not used: it needs one forward pass in a step and a gradient of every
weight, but a student reads two sides, and some objectives leave layers out.
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


@cache
def world() -> PartialState:
    """Join the other processes, if there are any. `device` is where this process computes.

    That is a GPU if torch finds one. `ACCELERATE_USE_CPU=true` keeps the work on the CPU.
    """
    # Without `cpu`, accelerate joins no processes on a machine without a GPU. The timeout is long
    # because the others wait while the main process makes plans. A process that dies is noticed.
    on_cpu = not torch.cuda.is_available() or parse_flag_from_env("ACCELERATE_USE_CPU")
    here = PartialState(cpu=on_cpu, timeout=timedelta(weeks=1))
    if here.num_processes > 1:
        # Threads of gloo that are left at the end may abort the process.
        atexit.register(here.destroy_process_group)
    return here


def launched_without_mpirun() -> bool:
    """Check whether `accelerate launch --cpu` was to start several processes and started one."""
    # It leaves the start to mpirun, and sets the address for several processes only.
    several = os.environ.get("ACCELERATE_USE_CPU") == "True" and "MASTER_ADDR" in os.environ
    return several and world().num_processes == 1


def on_main(work: Callable[[], Result]) -> Result:
    """Call a function in the main process only. All processes return its result or raise its error.

    work (Callable[[], Result]): The function.
    RETURNS (Result): What the function returned.
    RAISES (OpticalError): As `work`.
    """
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
    """Sum gradients over all processes, in place, and return the sum of the losses."""
    if world().num_processes == 1:
        return loss
    # A weight without a gradient in any process must stay without: a zero would decay it.
    present = loss.new_tensor([float(weight.grad is not None) for weight in weights])
    grads = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
    parts = [loss.reshape(1), present, *(grad.flatten() for grad in grads)]
    flat = torch.cat(parts)
    distributed.all_reduce(flat)
    total, present, *summed = flat.split([part.numel() for part in parts])
    for weight, there, grad in zip(weights, present, summed, strict=True):
        weight.grad = grad.view_as(weight) if there else None
    return total[0]
