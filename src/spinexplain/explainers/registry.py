"""Explainers by name: a new one is its module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from spinexplain.explainers.prototypes import explain_prototypes
from spinexplain.models.grader import Grader
from spinexplain.types import Explanation, Patch

Explainer = Callable[[Grader, Patch, str], Explanation]
"""From a grader, a patch of its shape and a class to why it leans towards that class."""


def _cam(grader: Grader, patch: Patch, target: str, method: str) -> Explanation:
    # Imports torch, which an exported model does without until somebody asks for a gradient.
    from spinexplain.explainers.cam import explain_cam

    return explain_cam(grader, patch, target, method)


def _integrated_gradients(grader: Grader, patch: Patch, target: str) -> Explanation:
    from spinexplain.explainers.attribution import explain_integrated_gradients

    return explain_integrated_gradients(grader, patch, target)


def _occlusion(grader: Grader, patch: Patch, target: str) -> Explanation:
    from spinexplain.explainers.attribution import explain_occlusion

    return explain_occlusion(grader, patch, target)


EXPLAINERS: dict[str, Explainer] = {
    "prototypes": explain_prototypes,
    **{method: partial(_cam, method=method) for method in ("gradcam", "gradcam++", "xgradcam")},
    "integrated_gradients": _integrated_gradients,
    "occlusion": _occlusion,
}
"""Those that need nothing but the model. One that needs more is bound to it first and given
as it is, as :class:`spinexplain.explainers.dissection.explain.DissectionExplainer` is."""
