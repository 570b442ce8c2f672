"""Other processes: every way of starting workers, and a machine without torch."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ..util import environment_without, toy_bundle

HEAVY = ("torch", "transformers", "spacy_transformers", "onnx", "ot")


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment as after a base install."""
    return environment_without(tmp_path_factory.mktemp("site"), *HEAVY)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "toy"
    # Windows so long that ONNX Runtime divides them among its threads.
    toy_bundle(max_pieces=1024).to_disk(path)
    return path


def run(script: Path, code: str, env: dict[str, str], *arguments: str) -> str:
    script.write_text(textwrap.dedent(code), encoding="utf8")
    done = subprocess.run(
        [sys.executable, "-S", str(script), *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_base_install_finds_entities(light: dict[str, str], bundle: Path, tmp_path: Path) -> None:
    code = """
        import importlib.util, sys
        import spacy

        for name in sys.argv[2:]:
            assert importlib.util.find_spec(name) is None, name
        spacy.blank("xx")
        assert "onnxruntime" not in sys.modules
        nlp = spacy.blank("xx")
        nlp.add_pipe("optical_ner", config={"model": sys.argv[1]})
        print([(ent.text, ent.label_) for ent in nlp("Amina Juma anaishi Nairobi").ents])
    """
    found = run(tmp_path / "script.py", code, light, str(bundle), *HEAVY)
    assert found == "[('Amina Juma', 'PER'), ('Nairobi', 'LOC')]\n"


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_n_process(light: dict[str, str], bundle: Path, tmp_path: Path, method: str) -> None:
    code = """
        import multiprocessing, sys
        import spacy

        def outcome(doc):
            spans = [(ent.start, ent.end, ent.label_, ent._.score) for ent in doc.ents]
            assert all(score is not None for *_, score in spans)
            return [ent.text for ent in doc.ents], spans

        if __name__ == "__main__":
            multiprocessing.set_start_method(sys.argv[2])
            nlp = spacy.blank("xx")
            nlp.add_pipe("optical_ner", config={"model": sys.argv[1], "threads": 2})
            texts = ["Amina Juma anaishi Nairobi", "", "Benki Kuu " * 500, "Habari"] * 5
            # The parent has a session with threads before it forks.
            alone = [outcome(doc) for doc in nlp.pipe(texts)]
            both = [outcome(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=3)]
            assert both == alone
            assert [outcome(doc) for doc in nlp.pipe(texts)] == alone
            print(len(both), both[0][0])
    """
    found = run(tmp_path / "script.py", code, light, str(bundle), method)
    assert found == "20 ['Amina Juma', 'Nairobi']\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_fork_while_another_thread_loads(
    light: dict[str, str], bundle: Path, tmp_path: Path
) -> None:
    code = """
        import os, signal, sys, threading
        import spacy
        from spacy_optical.runtime import session

        nlp = spacy.blank("xx")
        nlp.add_pipe("optical_ner", config={"model": sys.argv[1]})
        loading, forked = threading.Event(), threading.Event()
        load = session.pieces_of

        def slow(bundle):
            loading.set()
            forked.wait()
            return load(bundle)

        session.pieces_of = slow
        thread = threading.Thread(target=lambda: nlp("Amina"))
        thread.start()
        loading.wait()
        child = os.fork()
        forked.set()
        if child == 0:
            signal.alarm(30)
            os._exit(len(nlp("Amina").ents))
        thread.join()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(tmp_path / "script.py", code, light, str(bundle)) == "1\n"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no such signal")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_worker_that_is_killed(
    light: dict[str, str], bundle: Path, tmp_path: Path, method: str
) -> None:
    # In spaCy 3.8 forked workers hold each other's pipes open, so that the parent does not see one
    # die and waits; a time limit of the caller's ends that. With the other methods it is an error.
    code = """
        import multiprocessing, os, signal, sys
        import spacy
        from spacy.language import Language

        @Language.component("killer")
        def killer(doc):
            if doc.text == "kill" and multiprocessing.parent_process() is not None:
                os.kill(os.getpid(), signal.SIGKILL)
            return doc

        def stop(number, frame):
            raise TimeoutError

        if __name__ == "__main__":
            multiprocessing.set_start_method(sys.argv[2])
            nlp = spacy.blank("xx")
            nlp.add_pipe("optical_ner", config={"model": sys.argv[1]})
            nlp.add_pipe("killer")
            texts = ["Amina Juma anaishi Nairobi"] * 30
            expected = nlp(texts[0]).ents
            signal.signal(signal.SIGALRM, stop)
            signal.alarm(8 if sys.argv[2] == "fork" else 60)
            found = []
            try:
                for doc in nlp.pipe([*texts[:17], "kill", *texts], n_process=2, batch_size=2):
                    found.append(doc.text)
            except Exception as err:
                print(type(err).__name__, 0 < len(found) < 18)
            signal.alarm(0)
            # What is left of it disturbs neither this process nor the next workers.
            print(len(multiprocessing.active_children()))
            after = [nlp(texts[0]), *nlp.pipe(texts[:4], n_process=2, batch_size=2)]
            print({str(doc.ents) for doc in after} == {str(expected)})
    """
    found = run(tmp_path / "script.py", code, light, str(bundle), method)
    error = "TimeoutError" if method == "fork" else "EOFError"
    assert found.splitlines() == [f"{error} True", "0", "True"]
