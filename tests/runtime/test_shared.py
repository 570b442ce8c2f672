"""One model in a process: what is shared, what is mapped, and what happens to files meanwhile."""

import gc
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import spacy
from onnx import TensorProto, helper, numpy_helper

from spacy_optical.errors import OpticalError
from spacy_optical.runtime import shared
from spacy_optical.runtime.bundle import MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE, Bundle
from spacy_optical.runtime.session import Runtime

from ..util import large_bundle, toy_random_bundle

TEXT = ["Amina", "Juma", "anaishi", "Nairobi"]

# How ONNX Runtime says that it reads no weights from a place.
REFUSED = "External|external|outside the directory|should be (file|stored)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle whose table of pieces is mapped."""
    large_bundle().to_disk(tmp_path / "bundle")
    return tmp_path / "bundle"


def from_memory(folder: Path) -> Runtime:
    return Runtime(Bundle.from_bytes(Bundle.from_disk(folder).to_bytes()))


def test_runtimes_of_one_model_share_session_and_tokenizer(folder: Path) -> None:
    first, second = Runtime(Bundle.from_disk(folder)), from_memory(folder)
    assert first.session is second.session
    assert first.words_to_pieces is second.words_to_pieces
    assert Runtime(Bundle.from_disk(folder), threads=2).session is not first.session
    assert Runtime(toy_random_bundle()).session is not first.session


def test_a_session_goes_with_its_last_user() -> None:
    runtime = Runtime(toy_random_bundle(seed=77))
    runtime.scores([TEXT])
    key = ("session", os.getpid(), runtime.bundle.files[MODEL_FILE].sha256, 1, *shared.CPU)
    assert key in shared._made
    del runtime
    gc.collect()
    assert key not in shared._made


def test_components_share(folder: Path) -> None:
    nlp = spacy.blank("xx")
    for name in ("one", "two"):
        nlp.add_pipe("optical_ner", name=name, config={"model": str(folder), "spans_key": name})
    doc = nlp("neno7 neno9")
    one, two = (nlp.get_pipe(name).runtime for name in ("one", "two"))
    assert one.session is two.session
    assert [span.text for span in doc.spans["two"]] == ["neno7", "neno9"]


def test_mapped_weights_give_the_same_scores(folder: Path) -> None:
    bundle = Bundle.from_disk(folder)
    found = []
    for build in (shared._mapped, shared._held):
        runtime = Runtime(bundle)
        runtime._session = os.getpid(), build(bundle, 1, shared.CPU)
        found.append(runtime.scores([TEXT])[0])
    assert np.array_equal(*found)


def test_contents_are_not_held(folder: Path) -> None:
    bundle = Bundle.from_disk(folder)
    Runtime(bundle).scores([TEXT])
    assert sum(len(value) for value in vars(bundle).values() if isinstance(value, bytes)) == 0


def test_models_of_one_graph_and_other_weights_are_two(folder: Path) -> None:
    bundle = Bundle.from_disk(folder)
    other = replace(bundle, weights=bytes(len(bundle.weights)))
    assert Runtime(other).session is not Runtime(bundle).session


def outside(location: str) -> TensorProto:
    tensor = numpy_helper.from_array(np.ones(2, dtype=np.float32), "outside")
    onnx.external_data_helper.set_external_data(tensor, location=location, offset=0, length=8)
    tensor.ClearField("raw_data")
    return tensor


def in_initializer(graph: onnx.GraphProto, tensor: TensorProto) -> None:
    graph.initializer.append(tensor)
    graph.node.append(helper.make_node("Identity", ["outside"], ["c"]))
    graph.output.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, (2,)))


def in_constant(graph: onnx.GraphProto, tensor: TensorProto) -> None:
    graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))
    graph.output.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, (2,)))


def in_branch(graph: onnx.GraphProto, tensor: TensorProto) -> None:
    given = helper.make_tensor_value_info("outside", TensorProto.FLOAT, (2,))
    branch = helper.make_graph([], "branch", [], [given], [tensor])
    graph.initializer.append(numpy_helper.from_array(np.asarray(True), "yes"))
    node = helper.make_node("If", ["yes"], ["c"], then_branch=branch, else_branch=branch)
    graph.node.append(node)
    graph.output.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, (2,)))


@pytest.mark.parametrize("build", ["_mapped", "_held"])
@pytest.mark.parametrize("place", [in_initializer, in_constant, in_branch])
@pytest.mark.parametrize("location", ["../secret", "{here}/secret", "secret", "bundle.json"])
def test_weights_anywhere_else_are_refused(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    build: str,
    place: Callable[[onnx.GraphProto, TensorProto], None],
    location: str,
) -> None:
    for secret in (tmp_path / "secret", folder / "secret", folder.parent.parent / "secret"):
        secret.write_bytes(bytes(8))
    monkeypatch.chdir(tmp_path)
    bundle = Bundle.from_disk(folder)
    model = onnx.load_from_string(bundle.model)
    place(model.graph, outside(location.format(here=tmp_path)))
    replace(bundle, model=model.SerializeToString()).to_disk(tmp_path / "changed")
    changed = Bundle.from_disk(tmp_path / "changed")
    with pytest.raises(shared.ort_errors(), match=REFUSED):
        getattr(shared, build)(changed, 1, shared.CPU)
    with pytest.raises(OpticalError, match=f"graph contract.*({REFUSED})"):
        _ = Runtime(changed).session


@pytest.mark.skipif(not hasattr(os, "pread"), reason="contents are held on this system")
@pytest.mark.parametrize("used", [False, True])
def test_a_bundle_that_is_deleted_can_be_used_and_saved(
    folder: Path, tmp_path: Path, used: bool
) -> None:
    runtime = Runtime(Bundle.from_disk(folder))
    expected = from_memory(folder).scores([TEXT])[0]
    if used:
        runtime.scores([TEXT])
    shutil.rmtree(folder)
    assert np.array_equal(runtime.scores([TEXT])[0], expected)
    runtime.bundle.to_disk(tmp_path / "saved")
    assert np.array_equal(Runtime(Bundle.from_disk(tmp_path / "saved")).scores([TEXT])[0], expected)
    assert np.array_equal(pickle.loads(pickle.dumps(runtime)).scores([TEXT])[0], expected)


@pytest.mark.skipif(not hasattr(os, "pread"), reason="contents are held on this system")
def test_a_bundle_that_is_replaced_stays_what_it_was(folder: Path) -> None:
    runtime = Runtime(Bundle.from_disk(folder))
    other = toy_random_bundle(seed=5)
    other.to_disk(folder)
    assert runtime.bundle.model != other.model
    assert runtime.scores([["neno7"]])[0].argmax() == runtime.tags.index("B-LOC")


@pytest.mark.skipif(not hasattr(os, "pread"), reason="contents are held on this system")
@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE])
def test_a_file_that_is_written_over_is_noticed(folder: Path, name: str) -> None:
    runtime = Runtime(Bundle.from_disk(folder))
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(OpticalError, match=f"{name}.*SHA-256"):
        runtime.scores([TEXT])
    with pytest.raises(OpticalError, match=f"{name}.*SHA-256"):
        pickle.dumps(runtime)


@pytest.mark.skipif(not hasattr(os, "pread"), reason="contents are held on this system")
@pytest.mark.parametrize("size", [1.0, 0.5, 0.0])
def test_a_model_that_is_written_over_while_it_is_in_use_stays_what_it_was(
    folder: Path, size: float
) -> None:
    """In a process of its own, which a mapped file that is cut short would end (SIGBUS)."""
    script = """
        import sys
        from pathlib import Path
        import numpy as np
        from spacy_optical.runtime.bundle import Bundle
        from spacy_optical.runtime.session import Runtime

        folder, size = Path(sys.argv[1]), float(sys.argv[2])
        runtime = Runtime(Bundle.from_disk(folder))
        texts = [[f"neno{at}" for at in range(499, 0, -7)], ["Amina", "neno3"]]
        expected = runtime.scores(texts)
        for path in folder.iterdir():
            with path.open("r+b") as file:  # as `cp` does
                end = int(path.stat().st_size * size)
                file.truncate(end)
                file.write(bytes(end))
        found = runtime.scores(texts)
        assert all(np.array_equal(one, other) for one, other in zip(found, expected))
        print("as before")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder), str(size)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "as before\n"), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_copy_that_is_mapped_has_no_name(folder: Path, tmp_path: Path) -> None:
    script = """
        import sys, tempfile
        from pathlib import Path
        from spacy_optical.runtime.bundle import Bundle
        from spacy_optical.runtime.session import Runtime

        runtime = Runtime(Bundle.from_disk(sys.argv[1]))
        runtime.scores([["Amina"]])
        maps = Path("/proc/self/maps").read_text().splitlines()
        print([line.endswith("(deleted)") for line in maps if tempfile.gettempdir() in line])
    """
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert done.stdout.startswith("[True"), done.stderr
    assert "False" not in done.stdout
    assert list(temporary.iterdir()) == []


def test_without_room_for_a_copy_the_model_is_held(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert shared._mapped(Bundle.from_disk(folder), 1, shared.CPU) is None
    assert Runtime(Bundle.from_disk(folder)).scores([["neno7"]])[0].argmax() == 3


def test_contents_can_be_exchanged(folder: Path) -> None:
    bundle = replace(Bundle.from_disk(folder), tokenizer=b"{}")
    assert bundle.tokenizer == b"{}"
    assert bundle.model == Bundle.from_disk(folder).model
    assert replace(bundle, weights=b"1").files[WEIGHTS_FILE].size == 1


def test_a_provider_that_is_not_there() -> None:
    with pytest.raises(OpticalError, match=r"no provider Abacus, only .*CPUExecutionProvider"):
        Runtime(large_bundle(), providers=["Abacus", "CPUExecutionProvider"])
    with pytest.raises(OpticalError, match=r"no provider \[\], only"):
        Runtime(large_bundle(), providers=[])


def test_a_component_names_its_providers(folder: Path) -> None:
    nlp = spacy.blank("xx")
    config: dict = {"model": str(folder), "providers": ["Abacus"]}
    with pytest.raises(OpticalError, match="no provider Abacus"):
        nlp.add_pipe("optical_ner", config=config)
    config["providers"] = list(shared.CPU)
    component: Any = nlp.add_pipe("optical_ner", config=config)
    assert component.runtime.providers == shared.CPU
    assert [ent.text for ent in nlp("neno7 na Amina").ents] == ["neno7", "Amina"]


def test_providers_reach_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    build = onnxruntime.InferenceSession

    def watched(model: bytes, options: object, *, providers: list[str], **rest: object) -> object:
        seen.append(providers)
        return build(model, options, providers=["CPUExecutionProvider"], **rest)

    known = ["Abacus", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: known)
    monkeypatch.setattr(onnxruntime, "InferenceSession", watched)
    runtime = Runtime(large_bundle(), providers=known)
    with pytest.raises(OpticalError, match="provider Abacus but could not start it"):
        _ = runtime.session
    assert seen == [known]
    assert pickle.loads(pickle.dumps(runtime)).providers == tuple(known)
