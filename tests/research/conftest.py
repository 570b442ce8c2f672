"""The fixtures of the profiling and projection tests."""

from ..profiling.conftest import gold, places, report
from ..projection.conftest import encoder, encoder_folder

__all__ = ["encoder", "encoder_folder", "gold", "places", "report"]
