"""The engines that process parts: this machine, Ray or Spark."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import connection, get_context, parent_process
from threading import Thread
from typing import Any

from ..errors import Errors, OpticalError

# Calls a function for each part, in any order and process, and yields the results as they come.
Engine = Callable[[Callable[[Any], Any], Sequence[Any], int], Iterator[Any]]
ENGINES = ("local", "ray", "spark")


def engine_named(name: str) -> Engine:
    """Get the engine with a name.

    name (str): `local`, `ray` or `spark`.
    RETURNS (Engine): A function that calls another one for each part, in worker processes.
    RAISES (OpticalError): If there is no such engine, or its library is not installed.
    """
    if name not in ENGINES:
        expected = " or ".join(ENGINES)
        raise OpticalError(Errors.E114.format(name="engine", value=name, expected=expected))
    if name == "local":
        return local
    run: Engine = import_module(f"{__package__}.{name}_engine").run
    return run


def check_count(name: str, value: int) -> None:
    """Check that an argument is a whole number of at least 1.

    name (str): The name of the argument.
    value (int): Its value.
    RAISES (OpticalError): If it is not.
    """
    if not isinstance(value, int) or value < 1:
        expected = "a whole number of at least 1"
        raise OpticalError(Errors.E114.format(name=name, value=repr(value), expected=expected))


def local(write: Callable[[Any], Any], parts: Sequence[Any], n_process: int) -> Iterator[Any]:
    """Run in this process, or in worker processes.

    RAISES (OpticalError): If a worker process is killed.
    """
    workers = min(n_process, len(parts))
    if workers == 1:
        yield from map(write, parts)
        return
    # Not "fork", because the fork of a process with threads can hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_end_with_parent)
    try:
        for future in as_completed([pool.submit(write, part) for part in parts]):
            yield future.result()
    except BrokenProcessPool as err:
        raise OpticalError(Errors.E808) from err
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Exit immediately on Ctrl-C, and if the parent process is killed."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    if parent is not None:
        ended = [parent.sentinel]
        Thread(target=lambda: (connection.wait(ended), os._exit(1)), daemon=True).start()
