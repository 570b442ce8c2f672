"""Training: the teacher, the plans and the student."""

from ..compat import require

# Before any module of this package imports them: the error names the missing extra.
require("torch")
require("transformers")
