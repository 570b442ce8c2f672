"""The asking side of a measured process."""

import json
import subprocess
import sys
import tempfile
import textwrap
from types import TracebackType
from typing import IO, Any, cast

from ..errors import Errors, OpticalError
from .environment import Environment, process_variables
from .limit import MemoryLimit

STOP_SECONDS = 5
# A library's message may be a page; its beginning says what is wrong.
MOST_REASON = 300
# Requests as a user would say them, after "failed to".
STEPS = {
    "floor": "import its libraries",
    "start": "import spaCy",
    "load": "load",
    "hold": "take the texts",
    "first": "read a text",
    "single": "read texts one by one",
    "batch": "read texts in batches",
    "share": "read texts in several processes",
    "score": "find entities in the gold documents",
    "pieces": "cut the gold words into pieces",
}


class RequestFailed(OpticalError):
    """A measured process could not do what it was asked."""


class Worker:
    """A fresh process that holds one pipeline.

    name (str): The pipeline's display name, for errors.
    environment (str): `base` hides torch and its like, `full` shows all that is installed.
    threads (int): Threads of the numeric libraries there.
    seed (int): Seed of string hashes there.
    limit (Optional[MemoryLimit]): The limit of its memory; closed with the process.
    """

    def __init__(
        self,
        name: str,
        environment: Environment,
        *,
        threads: int,
        seed: int,
        limit: MemoryLimit | None = None,
    ) -> None:
        self.name = name
        self._limit = limit
        # Closed by `close`, with the process that writes to it.
        self._log = tempfile.TemporaryFile("w+", encoding="utf8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", f"{__package__}.worker", environment, str(threads)),
                "" if limit is None else limit.argument,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=process_variables(threads, seed),
            text=True,
            encoding="utf8",
            # Ctrl-C is for the asking process alone, which then stops this one.
            start_new_session=True,
        )
        self._requests = cast(IO[str], self._process.stdin)
        self._answers = cast(IO[str], self._process.stdout)

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and wait for its answer.

        do (str): A method of `worker.Subject`.
        **arguments: Its arguments; they must fit into JSON.
        RETURNS (Dict[str, Any]): The answer.
        RAISES (RequestFailed): If it failed there, or the process ended.
        """
        try:
            self._requests.write(json.dumps({"do": do, **arguments}) + "\n")
            self._requests.flush()
        except BrokenPipeError:
            raise self._ended(do) from None
        line = self._answers.readline()
        if not line:
            raise self._ended(do)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise self._failed(do, answer["error"])
        return answer

    def _ended(self, do: str) -> RequestFailed:
        code = self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        reason = f"its process ended with code {code}"
        if lines:
            reason += f" after saying '{lines[-1]}'"
        return self._failed(do, reason)

    def _failed(self, do: str, reason: str) -> RequestFailed:
        short = textwrap.shorten(reason, MOST_REASON, placeholder=" …")
        return RequestFailed(Errors.E601.format(name=self.name, step=STEPS[do], reason=short))

    def close(self) -> None:
        """End the process."""
        try:
            self._requests.close()
            self._process.wait(timeout=STOP_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._answers.close()
        self._log.close()
        if self._limit is not None:
            self._limit.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._process.kill()
        self.close()
