"""Base class of the components that run a bundle: loading and saving."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from traceback import walk_stack
from typing import Any, Self

from spacy import util
from spacy.language import Language

from ..runtime.bundle import SIZES, Bundle, BundleInfo, model_path, read_info
from ..runtime.session import Runtime, check_settings
from ..runtime.shared import process_lock


class BundlePipe:
    """A component with a bundle. It is loaded at first use, and saved with the pipeline."""

    _model: str | None  # the name of a model of the package, or a bundle's folder
    _settings: dict[str, Any]  # of the runtime
    _runtime: Runtime | None = None

    def _configure(
        self,
        model: str | None,
        threads: int,
        max_batch_pieces: int,
        overlap: int,
        providers: Sequence[str],
    ) -> None:
        check_settings(threads, max_batch_pieces, overlap, providers)
        settings = {"threads": threads, "max_batch_pieces": max_batch_pieces, "overlap": overlap}
        self._settings = {**settings, "providers": providers}
        if model is not None and model not in SIZES:
            # The working directory may change before the bundle is loaded.
            model = str(Path(model).absolute())
        self._model = model

    @abstractmethod
    def _check(self, info: BundleInfo, where: str | Path) -> None:
        """Raise an error if the component cannot use a bundle."""

    def _check_path(self) -> None:
        """Check the bundle to be loaded, unless spaCy is making a pipeline from a config."""
        # The path in a saved config may not exist on this machine, and `from_disk` or `from_bytes`
        # loads the bundle of the pipeline later. spaCy does not tell a factory whether it is called
        # for a config, so the call is looked up on the stack.
        code = Language.from_config.__func__.__code__  # type: ignore[attr-defined]
        if not any(frame.f_code is code for frame, _ in walk_stack(None)):
            path = model_path(self._model)
            self._check(read_info(path), path)

    def _use(self, bundle: Bundle) -> Runtime:
        self._check(bundle.info, bundle.where)
        self._runtime = Runtime(bundle, **self._settings)
        return self._runtime

    @property
    def threads(self) -> int:
        """The number of threads that run the model."""
        return self._settings["threads"]

    @threads.setter
    def threads(self, number: int) -> None:
        self._settings["threads"] = number
        if self._runtime is not None:
            self._runtime.threads = number  # used if the session is not built yet

    @property
    def runtime(self) -> Runtime:
        """The loaded model. The bundle is loaded at first use.

        RAISES (OpticalError): If the bundle is missing or damaged, or the component cannot use it.
        """
        if self._runtime is None:
            with process_lock():
                # Another thread may have loaded it.
                return self._runtime or self._use(Bundle.from_disk(model_path(self._model)))
        return self._runtime

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize the model to a byte string.

        exclude (Iterable[str]): Names of fields to leave out. The only field is "bundle".
        RETURNS (bytes): The serialized component. The settings are in the pipeline's config.
        """
        return util.to_bytes({"bundle": lambda: self.runtime.bundle.to_bytes()}, exclude)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load the model from a byte string.

        data (bytes): The byte string that `to_bytes` returned.
        exclude (Iterable[str]): Names of fields to leave out.
        RETURNS (Self): This component.
        RAISES (OpticalError): If the data is damaged.
        """
        util.from_bytes(data, {"bundle": lambda b: self._use(Bundle.from_bytes(b))}, exclude)
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the model to a folder. The original bundle is not needed to load it.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of fields to leave out. The only field is "bundle".
        """
        util.to_disk(path, {"bundle": lambda p: self.runtime.bundle.to_disk(p)}, exclude)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Load the model from a folder.

        path (Union[str, Path]): The folder that `to_disk` wrote.
        exclude (Iterable[str]): Names of fields to leave out.
        RETURNS (Self): This component.
        RAISES (OpticalError): If the bundle there is missing or damaged.
        """
        readers: Any = {"bundle": lambda p: self._use(Bundle.from_disk(p))}
        util.from_disk(path, readers, exclude)
        return self
