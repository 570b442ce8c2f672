"""Fine-tune a student on labels of your own."""

from ..compat import require

require("torch")
require("transformers")
