"""Explainers by name: a new one is its module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from spinexplain.explainers.cam import explain_cam
from spinexplain.explainers.cam_weights import CAM_METHODS
from spinexplain.explainers.prototypes import explain_prototypes
from spinexplain.models.grader import Grader
from spinexplain.types import Explanation, Patch

Explainer = Callable[[Grader, Patch, str], Explanation]

EXPLAINERS: dict[str, Explainer] = {
    "prototypes": explain_prototypes,
    **{method: partial(explain_cam, method=method) for method in CAM_METHODS},
}
