"""The measured process. It has one pipeline and answers requests, one JSON object per line.

`process.Worker` starts it. Only the standard library is imported before the `start` request, which
measures the import.
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
    """One pipeline and its texts. Each method answers one request; `main` adds the memory."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.nlp: Any = None
        self.texts: list[str] = []

    def start(self, modules: Sequence[str] = ("spacy",)) -> dict[str, Any]:
        """Import libraries."""
        return {"seconds": self._timed(lambda: [import_module(module) for module in modules])}

    def load(self, path: str, kind: str, threads: int, code: str | None) -> dict[str, Any]:
        """Load the pipeline and list its components and labels."""
        from spacy.util import import_file

        if code is not None:
            import_file("python_code", code)

        seconds = self._timed(lambda: self._load(path, kind, threads))
        metas = {name: self.nlp.get_pipe_meta(name) for name in self.nlp.pipe_names}
        finders = [name for name, meta in metas.items() if "doc.ents" in meta.assigns]
        labels = (getattr(self.nlp.get_pipe(name), "labels", ()) for name in finders)
        return {
            "seconds": seconds,
            "components": list(self.nlp.pipe_names),
            "finders": finders,
            "labels": sorted(set().union(*labels)),
            "folder": str(self.nlp.path) if self.nlp.path else None,
        }

    def hold(self, texts: list[str]) -> dict[str, Any]:
        """Store the texts. Later requests refer to them by number."""
        self.texts = texts
        return {}

    def first(self) -> dict[str, Any]:
        """Run the first text."""
        return {"seconds": self._timed(lambda: self.nlp(self.texts[0]))}

    def single(self, places: list[int], seconds: float) -> dict[str, Any]:
        """Run texts one by one. Repeat until the time is over."""
        nlp, texts, now, since = self.nlp, self.texts, self.clock.now, self.clock.since
        calls: list[tuple[int, int, int]] = []

        def run() -> None:
            for place in places:
                before = now()
                nlp(texts[place])
                calls.append((place, *since(before)))

        _, passed, waited = self._repeat(run, seconds)
        return {"calls": calls, "waiting_share": waited / passed}

    def batch(self, places: list[int], batch_size: int, seconds: float) -> dict[str, Any]:
        """Stream texts through `nlp.pipe`. Repeat until the time is over."""
        texts = [self.texts[place] for place in places]

        def run() -> None:
            for _ in self.nlp.pipe(texts, batch_size=batch_size):
                pass

        times, passed, waited = self._repeat(run, seconds)
        return {"times": times, "passed": passed, "waited": waited}

    def share(self, places: list[int], batch_size: int, processes: int) -> dict[str, Any]:
        """Stream texts through several processes. Return their combined peak memory."""
        texts = [self.texts[place] for place in places]
        most = {"rss": 0, "pss": 0}
        stream = self.nlp.pipe(texts, batch_size=batch_size, n_process=processes)
        for number, _ in enumerate(stream):
            found = read_family() if number % batch_size == 0 else None
            if found is not None:
                most = {kind: max(most[kind], found[kind]) for kind in most}
        return most

    def score(self, path: str, labels: list[str], label_map: dict[str, str]) -> dict[str, Any]:
        """Count the entities in each gold document by label, and the pieces of its words."""
        from ..data.docs import read_docs
        from .accuracy import count_entities, count_pieces

        docs = read_docs(Path(path), self.nlp.vocab)
        counts = count_entities(self.nlp, docs, labels, label_map)
        return {"counts": counts, "pieces": count_pieces(self.nlp, docs)}

    def _load(self, path: str, kind: str, threads: int) -> None:
        import spacy

        if kind == "bundle":
            self.nlp = spacy.blank("xx")
            self.nlp.add_pipe("optical_ner", config={"model": path, "threads": threads})
            return
        self.nlp = spacy.load(path)
        for name, pipe in self.nlp.pipeline:
            if self.nlp.get_pipe_meta(name).factory == "optical_ner" and pipe.threads != threads:
                pipe.threads = threads  # the session is built at the first call

    def _timed(self, function: Callable[[], object]) -> float:
        _, passed, waited = self._repeat(function, 0)
        return (passed - waited) / 1e9

    def _repeat(self, function: Callable[[], object], seconds: float) -> tuple[int, int, int]:
        """Return how often a function was called, and the nanoseconds passed and waited."""
        times, begun = 0, self.clock.now()
        while True:
            function()
            times += 1
            passed, waited = self.clock.since(begun)
            if passed >= seconds * 1e9:
                return times, passed, waited


def main() -> None:
    """Answer requests from standard input until the input ends."""
    # Output of libraries goes to stderr, so that it does not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf8")
    os.dup2(2, 1)
    enter_environment(sys.argv[1])
    enter_limit(sys.argv[3])
    subject = Subject(Clock(subtract=sys.argv[2] == "1"))
    for line in sys.stdin:
        request = json.loads(line)
        reset_peak()
        try:
            answer = getattr(subject, request.pop("do"))(**request)
            answer["memory"] = read_memory()
        except Exception as err:  # the main process reports it
            answer = {"error": f"{type(err).__name__}: {' '.join(str(err).split())}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
