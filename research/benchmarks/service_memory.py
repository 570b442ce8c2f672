"""Measure memory and latency of examples/service.py under load.

    python -m research.benchmarks.service_memory [--texts 1000000] [--clients 32]

Clients send requests of 25 texts without a pause. Another client sends one text at a time, and its
latency is measured. Every text has a unique word, so the memory of a service that keeps words
grows. Needs fastapi, uvicorn and httpx.
"""

import argparse
import asyncio
import random
import signal
import time
from collections.abc import Iterator

import httpx
import numpy as np
import psutil

from .memory_growth import WORDS
from .serving import serving

SIZE = 25  # texts per request
STEPS = 20  # printed lines


def messages(count: int) -> Iterator[str]:
    """Generate short texts, each with a unique word."""
    rng = random.Random(0)
    for at in range(count):
        yield " ".join([*rng.choices(WORDS, k=rng.randint(3, 11)), f"neno{at}"])


async def load(url: str, texts: int, clients: int, server: psutil.Process) -> None:
    """Send the texts, and print memory during the run and latencies at the end."""
    stream, sent, began = messages(texts), 0, time.perf_counter()
    latencies: list[float] = []
    done = asyncio.Event()

    async def send(client: httpx.AsyncClient) -> None:
        nonlocal sent
        while part := [text for text, _ in zip(stream, range(SIZE), strict=False)]:
            answer = await client.post(f"{url}/entities", json={"texts": part})
            answer.raise_for_status()
            assert len(answer.json()) == len(part)
            before, sent = sent, sent + len(part)
            if sent * STEPS // texts > before * STEPS // texts:
                memory, seconds = server.memory_info().rss / 1e6, time.perf_counter() - began
                print(f"{sent:10,} texts {memory:7.1f} MB {sent / seconds:7.0f}/s", flush=True)

    async def probe(client: httpx.AsyncClient) -> None:
        while not done.is_set():
            start = time.perf_counter()
            await client.post(f"{url}/entities", json={"texts": ["Amina Juma anaishi Nairobi."]})
            latencies.append(1000 * (time.perf_counter() - start))
            await asyncio.sleep(0.2)

    limits = httpx.Limits(max_connections=clients + 1)
    async with httpx.AsyncClient(timeout=300, trust_env=False, limits=limits) as client:
        watching = asyncio.create_task(probe(client))
        await asyncio.gather(*(send(client) for _ in range(clients)))
        done.set()
        await watching
    p50, p99 = np.percentile(latencies, [50, 99])
    print(f"one text while loaded, {len(latencies)} requests: p50 {p50:.0f} ms, p99 {p99:.0f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=32)
    arguments = parser.parse_args()
    with serving() as (server, url):
        process = psutil.Process(server.pid)
        asyncio.run(load(url, arguments.texts, arguments.clients, process))
        server.send_signal(signal.SIGTERM)
        print(f"exit code after SIGTERM: {server.wait(timeout=30)}")


if __name__ == "__main__":
    main()
