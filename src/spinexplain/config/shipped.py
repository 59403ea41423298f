"""Which of the models that come with the package grades where none is named."""

from __future__ import annotations

DEFAULT_MODEL = "protoverse-phantom-4"
