"""The requesting side of a measured process."""

import json
import subprocess
import sys
import tempfile
import textwrap
from typing import IO, Any, cast

from ..errors import Errors, OpticalError
from .environment import Environment, process_variables
from .options import Options
from .workload import Target

STOP_SECONDS = 5
# A library's message may be a page; its beginning says what is wrong.
MOST_REASON = 300
# Requests in words, after "failed to".
STEPS = {
    "start": "import its libraries",
    "load": "load",
    "hold": "take the texts",
    "first": "read a text",
    "single": "read texts one by one",
    "batch": "read texts in batches",
    "share": "read texts in several processes",
    "score": "find entities in the gold documents",
}


class RequestFailed(OpticalError):
    """A measured process could not do what was requested."""


class Worker:
    """A fresh process that holds one pipeline; a context manager that ends it."""

    def __init__(self, name: str, environment: Environment, options: Options) -> None:
        self.name, self.options = name, options
        self._limit = limit = options.new_limit()
        # Closed by `close`, with the process that writes to it.
        self._log = tempfile.TemporaryFile("w+", encoding="utf8", errors="replace")  # noqa: SIM115
        command = [sys.executable, "-m", f"{__package__}.worker", environment, str(options.threads)]
        self._process = subprocess.Popen(
            [*command, "" if limit is None else limit.argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=process_variables(options.threads, options.seed),
            text=True,
            encoding="utf8",
            # Ctrl-C is for the requesting process alone, which then stops this one.
            start_new_session=True,
        )
        self._requests = cast(IO[str], self._process.stdin)
        self._answers = cast(IO[str], self._process.stdout)

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and wait for its answer.

        do (str): A method of `worker.Subject`.
        **arguments: Its arguments; they must be JSON values.
        RETURNS (Dict[str, Any]): The answer.
        RAISES (RequestFailed): If the request failed or the process ended.
        """
        try:
            self._requests.write(json.dumps({"do": do, **arguments}) + "\n")
            self._requests.flush()
            line = self._answers.readline()
        except OSError:  # a broken pipe, which Windows calls an invalid argument
            line = ""
        answer: dict[str, Any] = json.loads(line) if line else {"error": self._end()}
        if "error" in answer:
            reason = textwrap.shorten(answer["error"], MOST_REASON, placeholder=" …")
            raise RequestFailed(Errors.E601.format(name=self.name, step=STEPS[do], reason=reason))
        return answer

    def load(self, target: Target) -> dict[str, Any]:
        """Load a pipeline."""
        code = None if self.options.code is None else str(self.options.code)
        threads = self.options.threads
        return self.ask("load", path=target.path, kind=target.kind, threads=threads, code=code)

    def _end(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        said = f" after saying '{lines[-1]}'" if lines else ""
        return f"its process ended with code {code}{said}"

    def close(self) -> None:
        """End the process."""
        try:
            self._requests.close()
            self._process.wait(timeout=STOP_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._answers.close()
        self._log.close()
        if self._limit is not None:
            self._limit.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._process.kill()
        self.close()
