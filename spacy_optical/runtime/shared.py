"""Sessions and tokenizers that the components and threads of one process share."""

import ctypes
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from ..compat import require_onnxruntime
from ..errors import Errors, OpticalError
from .bundle import INPUTS, MODELS, OUTPUT, TOKENIZER_FILE, VECTORS, WEIGHTS_FILE, Bundle
from .content import STAYS_READABLE, write_content
from .pieces import WordPieces
from .recent_scores import RecentScores

# spaCy imports all installed components when it makes a pipeline, so large libraries are imported
# only when a model is loaded.
if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Made = TypeVar("Made")

# Fusions that are slower on a CPU: the fused addition and norm took 55 µs for 26 pieces of width
# 384, the two operators that it replaces 12 µs (ONNX Runtime 1.31).
SLOWER = {"SkipLayerNormFusion"}

CPU = ("CPUExecutionProvider",)

# Only one thread loads a model; other threads wait and share it. A forked process makes a new lock,
# because another thread may have held this one.
_loading = threading.Lock()

# The keys contain the process id: a session has no threads any more in a forked process.
_made: WeakValueDictionary[tuple, Any] = WeakValueDictionary()

# Deleting an inherited session would wait for its threads.
_inherited: list["InferenceSession"] = []


def process_lock() -> threading.Lock:
    """Get the lock under which this process loads models."""
    return _loading


def _after_fork() -> None:
    global _loading
    _loading = threading.Lock()
    _inherited.extend(value for key, value in _made.items() if key[0] == "session")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def session_of(bundle: Bundle, threads: int, providers: Sequence[str]) -> "InferenceSession":
    """Get this process's session of a model, or build it. Threads may share it.

    RAISES (OpticalError): If the model cannot be loaded or has other inputs or outputs, or a
        provider cannot be used.
    """
    hashes = (entry.sha256 for name, entry in bundle.files.items() if name != TOKENIZER_FILE)
    key = ("session", os.getpid(), *hashes, threads, *providers)
    return _one(key, lambda: _session(bundle, threads, providers))


def recent_scores_of(bundle: Bundle, overlap: int) -> RecentScores:
    """Get the recent scores that the runtimes of a model in this process share."""
    hashes = [entry.sha256 for _, entry in sorted(bundle.files.items())]
    # The scores depend on the windows.
    key = ("recent", os.getpid(), *hashes, bundle.info.max_pieces, overlap)
    return _one(key, RecentScores)


def pieces_of(bundle: Bundle) -> WordPieces:
    """Get this process's tokenizer of a bundle, or load it. Threads may share it.

    RAISES (OpticalError): If it cannot be loaded.
    """

    def load() -> WordPieces:
        content = bundle.tokenizer
        try:
            return WordPieces(content)
        except OpticalError as err:
            reason = err.__cause__ or err
            raise OpticalError(Errors.E113.format(path=bundle.where, reason=reason)) from err

    return _one(("pieces", os.getpid(), bundle.files[TOKENIZER_FILE].sha256), load)


def _one(key: tuple, make: Callable[[], Made]) -> Made:
    found = _made.get(key)
    if found is None:
        with process_lock():
            found = _made.get(key)
            if found is None:
                found = _made[key] = make()
                _return_memory()
    return found


def _session(bundle: Bundle, threads: int, providers: Sequence[str]) -> "InferenceSession":
    with ort_failures(bundle, Errors.E110):
        mapped = _mapped(bundle, threads, providers) if STAYS_READABLE else None
        session = mapped or _held(bundle, threads, providers)
    inputs = {node.name: (node.type, len(node.shape)) for node in session.get_inputs()}
    if inputs != {name: ("tensor(int64)", 2) for name in INPUTS}:
        raise OpticalError(Errors.E110.format(path=bundle.where, reason=f"inputs {inputs}"))
    outputs = [node.name for node in session.get_outputs()]
    if OUTPUT not in outputs or (bundle.info.vectors and VECTORS not in outputs):
        raise OpticalError(Errors.E110.format(path=bundle.where, reason=f"outputs {outputs}"))
    return session


def _mapped(bundle: Bundle, threads: int, providers: Sequence[str]) -> "InferenceSession | None":
    """A session that maps the weights into memory; None if there is no space for a copy of them."""
    # Only the rows of the embedding table that are used take memory. The copy is unlinked when the
    # session is built: nobody can change or truncate it, which would crash this process, and the
    # system frees it with the session.
    try:
        with tempfile.TemporaryDirectory(prefix="spacy_optical-") as folder:
            write_content(bundle.contents.get(WEIGHTS_FILE, b""), Path(folder, WEIGHTS_FILE))
            options = session_options(threads, weights=folder)
            return _built(bundle.model, options, providers)
    except OSError:
        return None


def _held(bundle: Bundle, threads: int, providers: Sequence[str]) -> "InferenceSession":
    """A session with all weights in memory."""
    weights = bundle.weights
    options = session_options(threads, weights=str(MODELS / "nowhere"))  # no such folder
    options.add_external_initializers_from_files_in_memory(
        [WEIGHTS_FILE], [weights], [len(weights)]
    )
    return _built(bundle.model, options, providers)


def session_options(threads: int, *, weights: str) -> Any:
    """Make the options of a session.

    threads (int): The number of threads that run the model.
    weights (str): The only folder from which the model may read weights. Without it, ONNX Runtime
        would read from the working directory.
    RETURNS (SessionOptions): The options.
    """
    options = require_onnxruntime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A memory pattern is kept for every shape, and an arena never shrinks. Without them, memory
    # depends on the largest batch and not on the number of texts.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    for key, value in {
        # Spinning threads take CPU time from other processes.
        "session.intra_op.allow_spinning": "0",
        "session.inter_op.allow_spinning": "0",
        "session.load_model_format": "ONNX",
        "session.model_external_initializers_file_folder_path": weights,
    }.items():
        options.add_session_config_entry(key, value)
    return options


def _built(model: bytes, options: Any, providers: Sequence[str]) -> "InferenceSession":
    ort = require_onnxruntime()
    session = ort.InferenceSession(
        model, options, providers=list(providers), disabled_optimizers=SLOWER
    )
    lost = [name for name in providers if name not in session.get_providers()]
    if lost:  # ONNX Runtime ignores a provider that it cannot start
        raise OpticalError(Errors.E118.format(name=lost[0]))
    return session


def _return_memory() -> None:
    """Return the memory that loading freed to the system; the C library would keep it."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # not the GNU C library
        return
    trim(0)


@cache
def ort_errors() -> tuple[type[Exception], ...]:
    """Get the exception classes of ONNX Runtime, which have no base class of their own."""
    state = require_onnxruntime("onnxruntime.capi.onnxruntime_pybind11_state")
    own = (value for value in vars(state).values() if isinstance(value, type))
    return (*(kind for kind in own if issubclass(kind, Exception)), MemoryError, RuntimeError)


@contextmanager
def ort_failures(bundle: Bundle, message: str) -> Iterator[None]:
    """Turn exceptions of ONNX Runtime in a block into an `OpticalError`.

    bundle (Bundle): The bundle whose model is used.
    message (str): The message, unless there was not enough memory.
    """
    try:
        yield
    except ort_errors() as err:
        reason = " ".join(str(err).split())[:300] or type(err).__name__
        if isinstance(err, MemoryError) or "alloc" in reason:
            message = Errors.E117
        raise OpticalError(message.format(path=bundle.where, reason=reason)) from err
