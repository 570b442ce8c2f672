"""The fixtures of the profiling tests."""

from ..profiling.conftest import gold, places, report

__all__ = ["gold", "places", "report"]
