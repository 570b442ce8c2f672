"""Learning: the teacher, the student, and what passes between them."""

from ..compat import require

# Said once, before any module of this room imports it: which extra is missing.
require("torch")
require("transformers")
