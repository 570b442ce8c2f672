"""The measured toys of the profiling tests, for the tests of research too."""

from ..profiling.conftest import gold, places, report

__all__ = ["gold", "places", "report"]
