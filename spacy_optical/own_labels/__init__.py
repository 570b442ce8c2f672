"""Fine-tuning: a student learns labels of its user's own."""

from ..compat import require

require("torch")
require("transformers")
