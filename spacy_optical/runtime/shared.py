"""What the components and threads of one process share: sessions and tokenizers, by content."""

import ctypes
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from ..compat import require_onnxruntime
from ..errors import Errors, OpticalError
from .bundle import (
    INPUTS,
    OUTPUT,
    PACKAGE,
    TOKENIZER_FILE,
    VECTORS,
    WEIGHTS_FILE,
    Bundle,
)
from .content import STAYS_READABLE, write_content
from .pieces import WordPieces
from .recent_scores import RecentScores

# spaCy imports every installed component whenever any pipeline is made: what is heavy is imported
# when a model is loaded.
if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Made = TypeVar("Made")

# Fusions that cost time on a CPU: the fused addition and norm took 55 µs for 26 pieces of 384
# numbers, the two operators that it stands for 12 µs (ONNX Runtime 1.31).
SLOWER = {"SkipLayerNormFusion"}

CPU = ("CPUExecutionProvider",)

# A folder that does not exist.
NOWHERE = str(PACKAGE / "nowhere")

# Loading is serialised, so that threads that arrive together share what the first one loaded.
# A child process of a fork gets a lock of its own: another thread may have held this one.
_loading = threading.Lock()

# The keys hold the process's number: a session that a forked child inherits has lost its threads.
_made: WeakValueDictionary[tuple, Any] = WeakValueDictionary()

# Destroying an inherited session would wait for its threads.
_inherited: list["InferenceSession"] = []


def process_lock() -> threading.Lock:
    """Give the lock under which this process loads models.

    RETURNS (Lock): The lock; hold it only while loading.
    """
    return _loading


def _after_fork() -> None:
    global _loading
    _loading = threading.Lock()
    _inherited.extend(value for key, value in _made.items() if key[0] == "session")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def session_of(bundle: Bundle, threads: int, providers: Sequence[str] = CPU) -> "InferenceSession":
    """Give this process's session of a model; it is built if nobody has one.

    bundle (Bundle): The bundle.
    threads (int): Threads of one run, the caller's included.
    providers (Sequence[str]): ONNX Runtime's execution providers, in order of preference.
    RETURNS (InferenceSession): The session; any number of threads may run it.
    RAISES (OpticalError): If the model cannot be read or breaks the graph contract, or a provider
        cannot be used.
    """
    hashes = (entry.sha256 for name, entry in bundle.files.items() if name != TOKENIZER_FILE)
    key = ("session", os.getpid(), *hashes, threads, *providers)
    return _one(key, lambda: _session(bundle, threads, providers))


def recent_scores_of(bundle: Bundle, overlap: int) -> RecentScores:
    """Give what this process's runtimes of a model share: scores of texts that were read lately.

    bundle (Bundle): The bundle.
    overlap (int): Pieces that neighbouring windows share, on which scores depend.
    RETURNS (RecentScores): The scores; empty if nobody has any.
    """
    hashes = [entry.sha256 for _, entry in sorted(bundle.files.items())]
    return _one(("recent", os.getpid(), *hashes, overlap), RecentScores)


def pieces_of(bundle: Bundle) -> WordPieces:
    """Give this process's tokenizer of a bundle; it is read if nobody has it.

    bundle (Bundle): The bundle.
    RETURNS (WordPieces): The tokenizer; any number of threads may use it.
    RAISES (OpticalError): If it cannot be read.
    """
    key = ("pieces", os.getpid(), bundle.files[TOKENIZER_FILE].sha256)
    return _one(key, lambda: _pieces(bundle))


def _one(key: tuple, make: Callable[[], Made]) -> Made:
    found = _made.get(key)
    if found is None:
        with process_lock():
            found = _made.get(key)
            if found is None:
                found = _made[key] = make()
                _return_memory()
    return found


def _pieces(bundle: Bundle) -> WordPieces:
    content = bundle.tokenizer
    try:
        return WordPieces(content)
    except OpticalError as err:
        reason = err.__cause__ or err
        raise OpticalError(Errors.E113.format(path=bundle.where, reason=reason)) from err


def _session(bundle: Bundle, threads: int, providers: Sequence[str]) -> "InferenceSession":
    try:
        session = _mapped(bundle, threads, providers) if STAYS_READABLE else None
        if session is None:
            session = _held(bundle, threads, providers)
    except ort_errors() as err:
        raise failure(err, Errors.E110, bundle) from err
    inputs = {node.name: (node.type, len(node.shape)) for node in session.get_inputs()}
    if inputs != {name: ("tensor(int64)", 2) for name in INPUTS}:
        raise OpticalError(Errors.E110.format(path=bundle.where, reason=f"inputs {inputs}"))
    outputs = [node.name for node in session.get_outputs()]
    if OUTPUT not in outputs or (bundle.info.vectors and VECTORS not in outputs):
        raise OpticalError(Errors.E110.format(path=bundle.where, reason=f"outputs {outputs}"))
    return session


def _mapped(bundle: Bundle, threads: int, providers: Sequence[str]) -> "InferenceSession | None":
    """A session that maps the weights from a file of its own; None if there is no room for one.

    Memory holds the rows of the embedding table that texts ask for. The file is a temporary copy
    that has no name any more when the session is there: nobody can write over it or cut it short,
    which would end this process, and the system frees it when the session goes.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="spacy_optical-") as folder:
            write_content(bundle.contents.get(WEIGHTS_FILE, b""), Path(folder, WEIGHTS_FILE))
            options = session_options(threads, weights=folder)
            return _built(bundle.model, options, providers)
    except OSError:
        return None


def _held(bundle: Bundle, threads: int, providers: Sequence[str]) -> "InferenceSession":
    """A session that holds all weights in memory."""
    weights = bundle.weights
    options = session_options(threads, weights=NOWHERE)
    options.add_external_initializers_from_files_in_memory(
        [WEIGHTS_FILE], [weights], [len(weights)]
    )
    return _built(bundle.model, options, providers)


def session_options(threads: int, *, weights: str) -> Any:
    """Make a session's options.

    threads (int): Threads of one run, the caller's included.
    weights (str): The folder with the files that a model may read weights from. ONNX Runtime reads
        no other, but would look into the working directory if it were not told.
    RETURNS (SessionOptions): The options.
    """
    options = require_onnxruntime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A memory pattern is kept for every shape met, an arena never shrinks: without them memory
    # depends on the largest batch and not on how many texts have passed.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    for key, value in {
        # Threads that wait by spinning take the processor from everything else on it.
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
    if lost:  # ONNX Runtime would go on without it
        raise OpticalError(Errors.E118.format(name=lost[0]))
    return session


def check_providers(providers: Sequence[str]) -> None:
    """Make sure that the installed ONNX Runtime has execution providers.

    providers (Sequence[str]): Their names, in order of preference.
    RAISES (OpticalError): If there is none, or one that it does not have.
    """
    if tuple(providers) == CPU:
        return
    available = require_onnxruntime().get_available_providers()
    for name in providers or ["[]"]:
        if name not in available:
            raise OpticalError(Errors.E119.format(name=name, available=", ".join(available)))


def _return_memory() -> None:
    """Give back to the system what loading took and freed; the C library would keep it."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # not the GNU C library
        return
    trim(0)


@cache
def ort_errors() -> tuple[type[Exception], ...]:
    """List what ONNX Runtime raises; its exceptions share no class of their own.

    RETURNS (Tuple[Type[Exception], ...]): The classes.
    """
    state = require_onnxruntime("onnxruntime.capi.onnxruntime_pybind11_state")
    own = (value for value in vars(state).values() if isinstance(value, type))
    return (*(kind for kind in own if issubclass(kind, Exception)), MemoryError, RuntimeError)


def failure(err: Exception, otherwise: str, bundle: Bundle) -> OpticalError:
    """Make the error for what ONNX Runtime raised.

    err (Exception): What it raised.
    otherwise (str): The message, if memory was not short.
    bundle (Bundle): The bundle whose model failed.
    RETURNS (OpticalError): The error.
    """
    reason = " ".join(str(err).split())[:300] or type(err).__name__
    if isinstance(err, MemoryError) or "alloc" in reason:
        otherwise = Errors.E117
    return OpticalError(otherwise.format(path=bundle.where, reason=reason))
