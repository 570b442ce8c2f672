"""The measured process: it holds one pipeline and answers one request a line, in JSON.

Started by `process.Worker`. Nothing but the standard library is imported before the request that
times the import, so that the figures belong to the pipeline alone.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from .clock import Clock
from .environment import enter_environment
from .limit import enter_limit
from .memory import read_family, read_memory, reset_peak


class Subject:
    """One pipeline and the texts that it is measured on; each method answers one request.

    `main` adds to every answer the memory that the process used for it.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.nlp: Any = None
        self.texts: list[str] = []

    def start(self, modules: Sequence[str] = ("spacy",)) -> dict[str, Any]:
        """Import libraries, and load no model."""
        return {"seconds": self._timed(lambda: [import_module(module) for module in modules])}

    def load(self, path: str, kind: str, threads: int, code: str | None) -> dict[str, Any]:
        """Load the pipeline and list its parts."""
        from spacy.util import import_file

        if code is not None:
            import_file("python_code", code)

        def load() -> None:
            self.nlp = _load(path, kind, threads)

        seconds = self._timed(load)
        metas = {name: self.nlp.get_pipe_meta(name) for name in self.nlp.pipe_names}
        finders = [name for name, meta in metas.items() if "doc.ents" in meta.assigns]
        labels: set[str] = set()
        for name in finders:
            labels.update(getattr(self.nlp.get_pipe(name), "labels", ()))
        return {
            "seconds": seconds,
            "components": list(self.nlp.pipe_names),
            "finders": finders,
            "labels": sorted(labels),
            "folder": str(self.nlp.path) if self.nlp.path else None,
        }

    def hold(self, texts: list[str]) -> dict[str, Any]:
        """Keep the texts that later requests refer to by number."""
        self.texts = texts
        return {}

    def first(self, place: int) -> dict[str, Any]:
        """Run the first text."""
        return {"seconds": self._timed(lambda: self.nlp(self.texts[place]))}

    def single(self, places: list[int], seconds: float) -> dict[str, Any]:
        """Run texts one by one, repeatedly until the time is over."""
        nlp, texts, now, since = self.nlp, self.texts, self.clock.now, self.clock.since
        found: list[tuple[int, int, int]] = []
        begun = now()
        while True:
            for place in places:
                before = now()
                nlp(texts[place])
                found.append((place, *since(before)))
            passed, waited = since(begun)
            if passed >= seconds * 1e9:
                return {"calls": found, "waiting_share": waited / passed}

    def batch(self, places: list[int], batch_size: int, seconds: float) -> dict[str, Any]:
        """Stream texts through `nlp.pipe`, repeatedly until the time is over."""
        nlp, now, since = self.nlp, self.clock.now, self.clock.since
        texts = [self.texts[place] for place in places]
        times = 0
        begun = now()
        while True:
            for _ in nlp.pipe(texts, batch_size=batch_size):
                pass
            times += 1
            passed, waited = since(begun)
            if passed >= seconds * 1e9:
                return {"times": times, "passed": passed, "waited": waited}

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
        """Count entities in each gold document, label by label, and the pieces of its words."""
        from ..data.docs import read_docs
        from .accuracy import count_entities, count_pieces

        docs = read_docs(Path(path), self.nlp.vocab)
        counts = count_entities(self.nlp, docs, labels, label_map)
        return {"counts": counts, "pieces": count_pieces(self.nlp, docs)}

    def _timed(self, function: Callable[[], object]) -> float:
        begun = self.clock.now()
        function()
        passed, waited = self.clock.since(begun)
        return (passed - waited) / 1e9


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
        reset_peak()
        try:
            answer = getattr(subject, request.pop("do"))(**request)
            answer["memory"] = read_memory()
        except Exception as err:  # crosses to the asking process, which tells the user
            answer = {"error": f"{type(err).__name__}: {' '.join(str(err).split())}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
