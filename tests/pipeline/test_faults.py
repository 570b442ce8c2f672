"""Threads in crowds, broken models, little memory, any text: errors, and what still works after."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from onnx import numpy_helper
from spacy.language import Language
from spacy.tokens import Doc

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.bundle import Bundle

from ..fuzz.texts import ANY_TEXT, check
from ..util import TOY_TAGS, toy_bundle, toy_random_bundle

ROOT = Path(__file__).parent.parent.parent


def pipeline(folder: Path, bundle: Bundle) -> Language:
    bundle.to_disk(folder)
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"model": str(folder), "overlap": 8})
    return nlp


@pytest.fixture(scope="module")
def nlp(tmp_path_factory: pytest.TempPathFactory) -> Language:
    return pipeline(tmp_path_factory.mktemp("bundles") / "toy", toy_random_bundle())


@pytest.mark.parametrize("examples", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_generated_texts(nlp: Language, examples: int) -> None:
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(ANY_TEXT)
    def run(text: str) -> None:
        check(nlp, text)

    run()


def outcome(doc: Doc) -> tuple[Any, ...]:
    return tuple((ent.start, ent.end, ent.label_, ent._.score) for ent in doc.ents)


def test_200_threads_call_a_pipeline_that_is_not_loaded_yet(tmp_path: Path) -> None:
    names = sorted(TOY_TAGS)
    texts = [f"{names[at % 6]} na {names[at % 5]} " * (at % 7) for at in range(200)]
    expected = [outcome(doc) for doc in pipeline(tmp_path / "one", toy_random_bundle()).pipe(texts)]
    nlp = pipeline(tmp_path / "two", toy_random_bundle())
    with ThreadPoolExecutor(max_workers=200) as pool:
        found = list(pool.map(lambda text: outcome(nlp(text)), texts))
    assert found == expected


def with_no_numbers(word: str) -> Bundle:
    """A toy whose scores are not numbers as soon as a text has a word."""
    bundle = toy_bundle({**TOY_TAGS, word: "B-LOC"})
    model = onnx.load_from_string(bundle.model)
    (tensor,) = (t for t in model.graph.initializer if t.name == "embeddings")
    table = numpy_helper.to_array(tensor).copy()
    table[-1] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(table, "embeddings"))
    return replace(bundle, model=model.SerializeToString())


def test_scores_that_are_not_numbers_cost_their_own_document_only(tmp_path: Path) -> None:
    nlp = pipeline(tmp_path / "bundle", with_no_numbers("Juba"))
    with pytest.raises(OpticalError, match="not numbers"):
        nlp("Amina anaishi Juba")
    failed: list[str] = []
    nlp.set_error_handler(lambda name, pipe, docs, err: failed.extend(doc.text for doc in docs))
    texts = ["Amina", "Juba", "Nairobi Juma", "na Juba", "Benki Kuu"]
    docs = list(nlp.pipe(texts))
    assert failed == ["Juba", "na Juba"]
    assert [[ent.label_ for ent in doc.ents] for doc in docs] == [["PER"], ["LOC", "PER"], ["ORG"]]


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")
def test_a_smaller_text_works_after_memory_ran_out(tmp_path: Path) -> None:
    toy_bundle(max_pieces=8000).to_disk(tmp_path / "bundle")
    script = """
        import resource, sys
        import spacy
        from spacy_optical.errors import OpticalError

        nlp = spacy.blank("xx")
        config = {"model": sys.argv[1], "max_batch_pieces": 10**9}
        nlp.add_pipe("optical_ner", config=config)
        expected = nlp("Amina anaishi Nairobi").ents
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
        # A batch that does not fit is done document by document.
        docs = list(nlp.pipe(["Nairobi " * 3000] * 6))
        print([len(doc.ents) for doc in docs] == [3000] * 6)
        try:
            nlp("Nairobi " * 7900)
        except OpticalError as err:
            print("max_batch_pieces" in str(err))
        print(str(nlp("Amina anaishi Nairobi").ents) == str(expected))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "bundle")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("True\nTrue\nTrue\n", 0), done.stderr
