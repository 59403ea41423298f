"""The class activation map of a plain classifier as a training places it, before any pooling.

GradCAM weighs the same map by the head's pooling, which belongs to how the network grades. Where
the map itself was supervised, it is what the network was asked to show. Scored by
``--explainer spinexplain.explainers.class_map:explain_class_map``.
"""

from __future__ import annotations

import torch

from spinexplain.errors import ModelError
from spinexplain.models.grader import Grader
from spinexplain.models.heads.prototype import LinearNet
from spinexplain.models.receptive import upsample_map
from spinexplain.types import Evidence, Explanation, Patch

METHOD = "class_map"


def explain_class_map(grader: Grader, patch: Patch, target: str) -> Explanation:
    """Show the sigmoid of a plain classifier's map of a class.

    Parameters
    ----------
    grader : Grader
        Of a plain classifier.
    patch : Patch
    target : str
        One of ``grader.classes``.

    Returns
    -------
    Explanation
        One piece of evidence, 0 to 1; its score is the sum over the grid.

    Raises
    ------
    ModelError
        If the model is no plain classifier, or has no such class.
    """
    model = grader.model
    if not isinstance(model, LinearNet) or target not in grader.classes:
        raise ModelError(
            f'model "{grader.info.name}" has no class map of "{target}"; expected a plain '
            f"classifier and one of {', '.join(grader.classes)}. Choose another explainer."
        )
    with torch.no_grad():
        features = model.silence(model.trunk(grader.inputs([patch])))
        maps = torch.sigmoid(model.class_maps(features.float()))
    cells = maps[0, grader.classes.index(target)].cpu().numpy()
    pixels = grader.spec.size / patch.array.shape[0]
    heatmap = upsample_map(cells, patch.array.shape, model.trunk.field, pixels)
    score = float(cells.sum(dtype=float))
    evidence = Evidence("class map", target, heatmap, score, {"peak": float(cells.max())})
    return Explanation(patch, target, METHOD, "sum of the map over the grid", (evidence,))
