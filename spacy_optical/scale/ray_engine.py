"""Run on Ray Data, with actors that load the pipeline once."""

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..compat import require
from ..errors import Errors, OpticalError

ray: Any = require("ray", extra="ray")
require("ray.data", extra="ray")


class PartWriter:
    """Write parts in an actor."""

    def __init__(self, write: Callable[[Any], Any]) -> None:
        self.write = write

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Write parts and return only their counts."""
        return {"written": [pickle.dumps(self.write(pickle.loads(part))) for part in batch["item"]]}


def run(write: Callable[[Any], Any], parts: Sequence[Any], n_process: int) -> Iterator[Any]:
    """Run on the Ray cluster of this program or of `RAY_ADDRESS`, or start one.

    RAISES (OpticalError): If Ray cannot be started or fails.
    """
    started = not ray.is_initialized()
    workers = min(n_process, len(parts))
    try:
        if started:
            here = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers}
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="warning", **here)
            ray.data.DataContext.get_current().enable_progress_bars = False
            logging.getLogger("ray.data").setLevel("WARNING")
        items = ray.data.from_items(list(map(pickle.dumps, parts)), override_num_blocks=len(parts))
        written = items.map_batches(
            PartWriter,
            fn_constructor_args=(write,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        for row in written.iter_rows():
            yield pickle.loads(row["written"])
    except Exception as err:  # Ray raises its own and Python's errors
        reason = str(err).strip().rpartition("\n")[2]
        raise OpticalError(Errors.E810.format(engine="Ray", reason=reason)) from err
    finally:
        if started:
            ray.shutdown()
