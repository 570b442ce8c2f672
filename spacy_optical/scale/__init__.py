"""Annotate any number of texts, on one machine, Ray or Spark."""

from ..compat import require

require("pyarrow", extra="scale")
