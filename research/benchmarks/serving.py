"""The service of examples/service.py, as a process."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def serving() -> Iterator[tuple[subprocess.Popen, str]]:
    """Start the service on a free port, wait until it answers, and kill it at the end.

    YIELDS (Tuple[Popen, str]): The process and its address.
    RAISES (RuntimeError): If the process ends before it answers.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", str(port)]
    command += ["--log-level", "warning", "--timeout-graceful-shutdown", "60"]
    process = subprocess.Popen(command, cwd=EXAMPLES)
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            if process.poll() is not None:
                raise RuntimeError(f"the service ended with exit code {process.returncode}")
            time.sleep(0.1)
        yield process, url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/health", trust_env=False).raise_for_status()
    except httpx.ConnectError:
        return False
    return True
