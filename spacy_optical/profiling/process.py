"""Start a measured process and send it requests."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from typing import IO, Any, cast

from ..errors import Errors, OpticalError
from .environment import Environment
from .options import Options
from .workload import Target

STOP_SECONDS = 5
# The beginning of a long error message is enough.
MAX_REASON = 300
LIBRARIES = ("OMP", "MKL", "OPENBLAS", "BLIS", "NUMEXPR", "RAYON")
THREAD_VARIABLES = ("VECLIB_MAXIMUM_THREADS", *(f"{name}_NUM_THREADS" for name in LIBRARIES))
# The requests, as texts after "failed to".
STEPS = {
    "start": "import its libraries",
    "load": "load",
    "hold": "receive the texts",
    "first": "run a text",
    "single": "run texts one by one",
    "batch": "run texts in batches",
    "share": "run texts in several processes",
    "score": "find entities in the gold documents",
}


class RequestFailed(OpticalError):
    """A request to a measured process failed."""


class Worker:
    """A fresh process with one pipeline. It ends when the context manager exits."""

    def __init__(self, name: str, environment: Environment, options: Options) -> None:
        self.name, self.options = name, options
        self._limit = limit = options.new_limit()
        self._log = tempfile.TemporaryFile("w+", encoding="utf8", errors="replace")  # noqa: SIM115
        command = [sys.executable, "-m", f"{__package__}.worker", environment, str(options.threads)]
        self._process = subprocess.Popen(
            [*command, "" if limit is None else limit.argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={
                **os.environ,
                **dict.fromkeys(THREAD_VARIABLES, str(options.threads)),
                "TOKENIZERS_PARALLELISM": "false",
                "PYTHONHASHSEED": str(options.seed),
                "PYTHONIOENCODING": "utf8",
            },
            text=True,
            encoding="utf8",
            # Ctrl-C only goes to the main process, which then stops this one.
            start_new_session=True,
        )
        self._requests = cast(IO[str], self._process.stdin)
        self._answers = cast(IO[str], self._process.stdout)

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for the answer.

        do (str): A method of `worker.Subject`.
        **arguments: Its arguments, as JSON values.
        RETURNS (Dict[str, Any]): The answer.
        RAISES (RequestFailed): If the request failed or the process ended.
        """
        try:
            self._requests.write(json.dumps({"do": do, **arguments}) + "\n")
            self._requests.flush()
            line = self._answers.readline()
        except OSError:  # a broken pipe; Windows reports an invalid argument
            line = ""
        # A process that is killed may leave the beginning of an answer.
        ended = not line.endswith("\n")
        answer: dict[str, Any] = {"error": self._end()} if ended else json.loads(line)
        if "error" in answer:
            reason = textwrap.shorten(answer["error"], MAX_REASON, placeholder=" …")
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
        output = f" and the last output '{lines[-1]}'" if lines else ""
        return f"its process ended with code {code}{output}"

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._process.kill()
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
