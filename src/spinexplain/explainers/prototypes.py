"""Explain a prototype network by its own sum: this part looks like that part."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spinexplain.errors import ModelError
from spinexplain.models.grader import Grader
from spinexplain.models.heads.prototype_head import PrototypeHead
from spinexplain.models.receptive import upsample_map
from spinexplain.types import Evidence, Explanation, Patch, PrototypeDetail

SCORE_NAME = "contribution to the logit"


def explain_prototypes(grader: Grader, patch: Patch, target: str) -> Explanation:
    """Split the logit of a class into the contributions of every prototype.

    Parameters
    ----------
    grader : Grader
        Of a :class:`~spinexplain.models.heads.prototype.PrototypeNet`.
    patch : Patch
    target : str
        One of ``grader.classes``.

    Returns
    -------
    Explanation
        One Evidence per prototype, of its own and of other classes. The scores sum to the
        target's logit: there is no bias.

    Raises
    ------
    ModelError
        If the model has no prototypes or no such class.

    Notes
    -----
    contribution = similarity of the best cell x class connection. The heat map is the
    similarity map, bicubic, placed by the true centres of the grid's cells.
    """
    head = grader.prototype_head
    if head is None:
        raise ModelError(
            f'model "{grader.info.name}" has no prototypes; expected a PrototypeNet. '
            "Explain it with gradcam."
        )
    if target not in grader.classes:
        raise ModelError(
            f'model "{grader.info.name}" has no class "{target}"; expected one of '
            f"{', '.join(grader.classes)}."
        )
    maps = grader.similarity_maps([patch])[0]
    connections = head.connections[grader.classes.index(target)]
    evidence = [
        _evidence(grader, head, patch, index, maps[index], float(connections[index]))
        for index in range(len(maps))
    ]
    evidence.sort(key=lambda item: -item.score)
    return Explanation(patch, target, "prototypes", SCORE_NAME, tuple(evidence), additive=True)


def prototype_name(
    grader_classes: tuple[str, ...], owner: np.ndarray, index: int, parts: tuple[str, ...] = ()
) -> str:
    """Name a prototype by class and part, or by class and number where it has no part.

    Examples
    --------
    >>> prototype_name(("G0", "G2"), np.array([0, 0, 1, 1]), 3)
    'G2 prototype 2'
    >>> prototype_name(("G0", "G2"), np.array([0, 1]), 1, ("", "inferior endplate"))
    'G2, inferior endplate'
    """
    if parts:
        return f"{grader_classes[int(owner[index])]}, {parts[index]}"
    number = int(np.sum(owner[: index + 1] == owner[index]))
    return f"{grader_classes[int(owner[index])]} prototype {number}"


def prototype_names(
    grader_classes: tuple[str, ...], owner: ArrayLike, parts: tuple[str, ...] = ()
) -> list[str]:
    """Name every prototype of a model.

    Examples
    --------
    >>> prototype_names(("G0", "G2"), [0, 1, 1])
    ['G0 prototype 1', 'G2 prototype 1', 'G2 prototype 2']
    """
    owners = np.asarray(owner)
    return [prototype_name(grader_classes, owners, index, parts) for index in range(len(owners))]


def _evidence(
    grader: Grader,
    head: PrototypeHead,
    patch: Patch,
    index: int,
    cells: np.ndarray,
    connection: float,
) -> Evidence:
    owner = head.owner
    similarity = float(cells.max())
    pixels = grader.spec.size / patch.array.shape[0]
    pixel_mm = patch.frame.spacing_mm / pixels
    return Evidence(
        name=prototype_name(grader.classes, owner, index, head.parts),
        class_name=grader.classes[int(owner[index])],
        heatmap=upsample_map(cells, patch.array.shape, head.field, pixels),
        score=similarity * connection,
        exemplars=grader.exemplars[index : index + 1],
        grid=cells.shape,
        field_mm=head.field.size * pixel_mm,
        stride_mm=head.field.stride * pixel_mm,
        start_mm=(head.field.start + 0.5) * pixel_mm,
        region=head.region,
        detail=PrototypeDetail(similarity, connection, head.max_similarity),
    )
