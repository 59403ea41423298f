"""Explainers by name: a new one is its module and one line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from spinexplain.explainers.prototypes import explain_prototypes
from spinexplain.models.grader import Grader
from spinexplain.types import Explanation, Patch

if TYPE_CHECKING:
    from spinexplain.explainers.dissection.record import Dissection

Explainer = Callable[[Grader, Patch, str], Explanation]


def _cam(grader: Grader, patch: Patch, target: str, method: str) -> Explanation:
    # Imports torch, which an exported model does without until somebody asks for a gradient.
    from spinexplain.explainers.cam import explain_cam

    return explain_cam(grader, patch, target, method)


def _dissection(
    grader: Grader, patch: Patch, target: str, dissection: Dissection | None = None
) -> Explanation:
    # Imports scipy's statistics, which only a dissection needs.
    from spinexplain.explainers.dissection.explain import explain_dissection

    return explain_dissection(grader, patch, target, dissection)


def _integrated_gradients(grader: Grader, patch: Patch, target: str) -> Explanation:
    from spinexplain.explainers.attribution import explain_integrated_gradients

    return explain_integrated_gradients(grader, patch, target)


def _occlusion(grader: Grader, patch: Patch, target: str) -> Explanation:
    from spinexplain.explainers.attribution import explain_occlusion

    return explain_occlusion(grader, patch, target)


EXPLAINERS: dict[str, Explainer] = {
    "prototypes": explain_prototypes,
    "dissection": _dissection,
    **{method: partial(_cam, method=method) for method in ("gradcam", "gradcam++", "xgradcam")},
    "integrated_gradients": _integrated_gradients,
    "occlusion": _occlusion,
}
