"""Explainers by name."""

from __future__ import annotations

from collections.abc import Callable

from spinexplain.explain.prototypes import explain_prototypes
from spinexplain.models.grader import Grader
from spinexplain.types import Explanation, Patch

Explainer = Callable[[Grader, Patch, str], Explanation]

EXPLAINERS: dict[str, Explainer] = {"prototypes": explain_prototypes}
