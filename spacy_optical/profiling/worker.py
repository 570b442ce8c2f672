"""The measured process: it holds one pipeline and answers one request a line, in JSON.

Started by `process.Worker`. Nothing but the standard library is imported before the request that
times the import, so that the figures belong to the pipeline alone.
"""

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .clock import Clock
from .environment import enter_environment
from .limit import enter_limit
from .memory import read_family, read_memory, reset_peak


class Subject:
    """One pipeline and the texts that it is measured on; each method answers one request."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.nlp: Any = None
        self.texts: list[str] = []

    def floor(self) -> dict[str, Any]:
        """Import the libraries of every pipeline, and load no model."""
        return self._import("spacy", "onnxruntime", "tokenizers")

    def start(self) -> dict[str, Any]:
        """Import spaCy."""
        return self._import("spacy")

    def load(self, path: str, kind: str, threads: int, code: str | None) -> dict[str, Any]:
        """Load the pipeline and list its parts."""
        from spacy.util import import_file

        if code is not None:
            import_file("python_code", code)
        reset_peak()
        seconds, self.nlp = self._timed(lambda: _load(path, kind, threads))
        memory = read_memory()
        metas = {name: self.nlp.get_pipe_meta(name) for name in self.nlp.pipe_names}
        finders = [name for name, meta in metas.items() if "doc.ents" in meta.assigns]
        labels: set[str] = set()
        for name in finders:
            labels.update(getattr(self.nlp.get_pipe(name), "labels", ()))
        return {
            "seconds": seconds,
            "memory": memory,
            "components": list(self.nlp.pipe_names),
            "finders": finders,
            "labels": sorted(labels),
            "folder": str(self.nlp.path) if self.nlp.path else None,
        }

    def hold(self, texts: list[str]) -> dict[str, Any]:
        """Keep the texts that later requests refer to by number."""
        self.texts = texts
        reset_peak()
        return {"memory": read_memory()}

    def first(self, place: int) -> dict[str, Any]:
        """Run the first text."""
        reset_peak()
        seconds, _ = self._timed(lambda: self.nlp(self.texts[place]))
        return {"seconds": seconds, "memory": read_memory()}

    def single(self, places: list[int], seconds: float) -> dict[str, Any]:
        """Run texts one by one, repeatedly until the time is over."""
        nlp, texts, now, since = self.nlp, self.texts, self.clock.now, self.clock.since
        reset_peak()
        found: list[tuple[int, int, int]] = []
        begun = now()
        while True:
            for place in places:
                before = now()
                nlp(texts[place])
                found.append((place, *since(before)))
            passed, waited = since(begun)
            if passed >= seconds * 1e9:
                return {"calls": found, "waiting_share": waited / passed, "memory": read_memory()}

    def batch(self, places: list[int], batch_size: int, seconds: float) -> dict[str, Any]:
        """Stream texts through `nlp.pipe`, repeatedly until the time is over."""
        nlp, now, since = self.nlp, self.clock.now, self.clock.since
        texts = [self.texts[place] for place in places]
        reset_peak()
        times = 0
        begun = now()
        while True:
            for _ in nlp.pipe(texts, batch_size=batch_size):
                pass
            times += 1
            passed, waited = since(begun)
            if passed >= seconds * 1e9:
                memory = read_memory()
                return {"times": times, "passed": passed, "waited": waited, "memory": memory}

    def share(self, places: list[int], batch_size: int, processes: int) -> dict[str, Any]:
        """Stream texts through several processes, and give their combined peak memory."""
        texts = [self.texts[place] for place in places]
        most = {"rss": 0, "pss": 0}
        stream = self.nlp.pipe(texts, batch_size=batch_size, n_process=processes)
        for number, _ in enumerate(stream):
            found = read_family() if number % batch_size == 0 else None
            if found is not None:
                most = max(most, found, key=lambda one: one["pss"])
        return most

    def score(self, path: str, labels: list[str], label_map: dict[str, str]) -> dict[str, Any]:
        """Count entities in each gold document, label by label."""
        from .accuracy import count_entities

        return {"counts": count_entities(self.nlp, Path(path), labels, label_map)}

    def pieces(self, path: str) -> dict[str, Any]:
        """Count the subword pieces of the gold words, if the pipeline has an `optical_ner`."""
        from .accuracy import count_pieces

        return {"pieces": count_pieces(self.nlp, Path(path))}

    def _import(self, *modules: str) -> dict[str, Any]:
        seconds, _ = self._timed(lambda: [import_module(module) for module in modules])
        return {"seconds": seconds, "memory": read_memory()}

    def _timed(self, function: Callable[[], Any]) -> tuple[float, Any]:
        begun = self.clock.now()
        result = function()
        passed, waited = self.clock.since(begun)
        return (passed - waited) / 1e9, result


def _load(path: str, kind: str, threads: int) -> Any:
    import spacy

    if kind == "bundle":
        nlp = spacy.blank("xx")
        nlp.add_pipe("optical_ner", config={"model": path, "threads": threads})
        return nlp
    nlp = spacy.load(path)
    for name in nlp.pipe_names:
        pipe: Any = nlp.get_pipe(name)
        if nlp.get_pipe_meta(name).factory == "optical_ner" and pipe.threads != threads:
            pipe.threads = threads  # the session is built at the first call
    return nlp


def main() -> None:
    """Answer requests from standard input until it ends."""
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf8")
    os.dup2(2, 1)
    enter_environment("base" if sys.argv[1] == "base" else "full")
    enter_limit(sys.argv[3])
    subject = Subject(Clock(subtract=sys.argv[2] == "1"))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(subject, request.pop("do"))(**request)
        except Exception as err:  # crosses to the asking process, which tells the user
            answer = {"error": f"{type(err).__name__}: {' '.join(str(err).split())}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
