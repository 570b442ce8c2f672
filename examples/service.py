"""Entities over HTTP.

    pip install spacy_optical fastapi uvicorn
    uvicorn service:app --host 0.0.0.0 --port 8000 --timeout-graceful-shutdown 10

Uvicorn stops taking requests on SIGTERM and answers those that it has.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated

import spacy
from fastapi import FastAPI
from pydantic import AfterValidator, BaseModel, Field
from spacy.language import Language
from spacy.tokens import Span

MOST_WORDS = 100_000  # spaCy's tables of words do not shrink, so load the pipeline again
# A memory zone belongs to one request at a time. Memory grows if many threads allocate it.
thread = ThreadPoolExecutor(max_workers=1)


def load() -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner")
    nlp("Amina Juma")  # load the model before a request
    return nlp


def valid(text: str) -> str:
    return text.encode("utf8", "replace").decode("utf8")  # JSON can have half a surrogate pair


# spaCy's limit of characters
Text = Annotated[str, Field(max_length=1_000_000), AfterValidator(valid)]


class Texts(BaseModel):
    texts: list[Text] = Field(max_length=1_000)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.nlp = load()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/entities")
async def entities(request: Texts) -> list[list[dict]]:
    return await asyncio.get_running_loop().run_in_executor(thread, find, request.texts)


def find(texts: list[str]) -> list[list[dict]]:
    if len(app.state.nlp.vocab) > MOST_WORDS:
        app.state.nlp = load()
    with app.state.nlp.memory_zone():  # spaCy forgets new words after each request
        return [list(map(row, doc.ents)) for doc in app.state.nlp.pipe(texts)]


def row(ent: Span) -> dict:
    return {"start": ent.start_char, "end": ent.end_char, "label": ent.label_, "score": ent._.score}
