"""The service of examples/service.py, as a process with many clients."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy

httpx = pytest.importorskip("httpx", reason="needs httpx, fastapi and uvicorn: the extra test")
pytest.importorskip("fastapi", reason="needs httpx, fastapi and uvicorn: the extra test")
pytest.importorskip("uvicorn", reason="needs httpx, fastapi and uvicorn: the extra test")

from research.benchmarks.serving import serving  # noqa: E402  once it is known that httpx is there

CLIENTS = 32
TEXTS = [f"Amina Juma {i} anaishi Nairobi." for i in range(CLIENTS)]


@pytest.fixture
def service() -> Iterator[tuple[subprocess.Popen, str]]:
    with serving() as (process, url):
        assert httpx.get(f"{url}/health", trust_env=False).json() == "ok"
        yield process, url


def expected(text: str) -> list[dict]:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner")
    return [
        {"start": ent.start_char, "end": ent.end_char, "label": ent.label_}
        for ent in nlp(text).ents
    ]


async def ask_at_once(url: str, copies: int) -> list:
    async with httpx.AsyncClient(timeout=300, trust_env=False) as client:
        requests = [
            client.post(f"{url}/entities", json={"texts": [text] * copies}) for text in TEXTS
        ]
        return await asyncio.gather(*requests)


def test_concurrent_clients_get_their_own_answers(service: tuple[subprocess.Popen, str]):
    _, url = service
    answers = asyncio.run(ask_at_once(url, copies=2))
    assert [answer.status_code for answer in answers] == [200] * CLIENTS
    for text, answer in zip(TEXTS, answers, strict=True):
        for found in answer.json():
            assert all(0 < entity.pop("score") <= 1 for entity in found)
        assert answer.json()[0], text
        first, second = (
            [{k: e[k] for k in ("start", "end", "label")} for e in d] for d in answer.json()
        )
        assert first == second == expected(text)


def test_too_many_texts_are_refused(service: tuple[subprocess.Popen, str]):
    _, url = service
    answer = httpx.post(f"{url}/entities", json={"texts": [""] * 1_001}, trust_env=False)
    assert answer.status_code == 422


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM")
def test_shutdown_answers_what_was_asked(service: tuple[subprocess.Popen, str]):
    process, url = service

    async def ask_and_stop() -> int:
        async with httpx.AsyncClient(timeout=300, trust_env=False) as client:
            asked = asyncio.create_task(
                client.post(
                    f"{url}/entities", json={"texts": ["Amina Juma anaishi Nairobi."] * 900}
                )
            )
            await asyncio.sleep(0.2)  # the request is on its way
            process.send_signal(signal.SIGTERM)
            return (await asked).status_code

    assert asyncio.run(ask_and_stop()) == 200
    process.wait()


def test_a_pipeline_that_has_seen_many_words_is_loaded_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "examples")
    import service

    first = service.app.state.nlp = service.load()
    answer = service.find(TEXTS)
    assert service.app.state.nlp is first
    monkeypatch.setattr(service, "MOST_WORDS", len(first.vocab) - 1)
    assert service.find(TEXTS) == answer
    assert service.app.state.nlp is not first
