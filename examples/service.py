"""Entities over HTTP.

    pip install spacy_optical fastapi uvicorn
    uvicorn service:app --host 0.0.0.0 --port 8000 --timeout-graceful-shutdown 10

Uvicorn stops taking requests on SIGTERM and answers those that it has.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Lock

import spacy
from fastapi import FastAPI
from pydantic import BaseModel, Field

nlp = spacy.blank("xx")
nlp.add_pipe("optical_ner")
lock = Lock()  # a memory zone belongs to one request at a time


class Texts(BaseModel):
    texts: list[str] = Field(max_length=1_000)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    nlp("Amina Juma")  # load the model before the first request
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/entities")
def entities(request: Texts) -> list[list[dict]]:
    with lock, nlp.memory_zone():  # spaCy forgets new words after each request
        return [
            [
                {"start": e.start_char, "end": e.end_char, "label": e.label_, "score": e._.score}
                for e in doc.ents
            ]
            for doc in nlp.pipe(request.texts)
        ]
