"""Masks of vertebral bodies from several tools become one binary mask."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from spinexplain.errors import ConfigError, LabelError
from spinexplain.extents import background, labeled_slabs
from spinexplain.io.schemes import SUBREGIONS, VERSE
from spinexplain.types import LabelMap

BODY_SCHEMES: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        "binary": frozenset({1}),
        "totalsegmentator": frozenset({1}),  # vertebrae_body; 2 are the discs
        "spine-segment": frozenset({2}),  # process-body; 1 are the posterior processes
        "tptbox": frozenset({49, 50}),  # sub-regions: border and inside of the body
        "verse": frozenset(VERSE),  # bodies numbered like their vertebrae
    }
)
_NAME_PARTS = {
    "process-body": "spine-segment",
    "process_body": "spine-segment",
    "vertebrae_body": "totalsegmentator",
    "subreg": "tptbox",
}
_BODY_NAMES = ("vertebrae_body", "vertebral_body", "corpus")


def body_mask(
    name: str, mask: LabelMap, scheme: str | None = None, names: Mapping[int, str] | None = None
) -> LabelMap:
    """Reduce a mask with vertebral bodies in it to the bodies.

    Parameters
    ----------
    name : str
        File name, for messages and as a hint.
    mask : LabelMap
    scheme : str, optional
        A key of ``BODY_SCHEMES``; detected where it is not given.
    names : mapping of int to str, optional
        Structure names from the mask's header.

    Returns
    -------
    LabelMap
        uint8, 1 inside the vertebral bodies.

    Raises
    ------
    ConfigError
        If the scheme is unknown.
    LabelError
        If no scheme fits or several do, or the mask holds no body.

    Examples
    --------
    >>> mask = LabelMap(np.array([[[0, 1, 2]]]), np.eye(4))
    >>> body_mask("x_process-body.nii.gz", mask).array.tolist()
    [[[0, 0, 1]]]
    """
    if scheme is not None and scheme not in BODY_SCHEMES:
        raise ConfigError(
            f"body scheme {scheme!r} is unknown; expected one of {', '.join(BODY_SCHEMES)}."
        )
    inside = _named_bodies(names or {}) if scheme is None else BODY_SCHEMES[scheme]
    inside = inside or BODY_SCHEMES[_detected(name, mask)]
    if not inside & mask.extents.keys():
        raise LabelError(
            f"{name}: no voxel is labeled {' or '.join(map(str, sorted(inside)))}; expected the "
            "vertebral bodies. Check the file and the body scheme."
        )
    body = background(mask.array.shape)
    for box in labeled_slabs(mask.extents):
        body[box] = np.isin(mask.array[box], list(inside))
    return LabelMap(body, mask.affine)


def _named_bodies(names: Mapping[int, str]) -> frozenset[int]:
    return frozenset(label for label, name in names.items() if name.lower() in _BODY_NAMES)


def _detected(name: str, mask: LabelMap) -> str:
    labels = _few_labels(name, mask)
    hint = next((scheme for part, scheme in _NAME_PARTS.items() if part in name.lower()), "")
    if hint and labels & BODY_SCHEMES[hint]:
        return hint
    if labels == {1}:
        return "binary"
    if labels == {2}:
        return "spine-segment"
    if labels <= set(SUBREGIONS) and labels & BODY_SCHEMES["tptbox"]:
        return "tptbox"
    if labels <= VERSE.keys() and labels != {1, 2}:
        return "verse"
    fits = "totalsegmentator (1) or spine-segment (2)" if labels == {1, 2} else "no known scheme"
    raise LabelError(
        f"{name}: labels {sorted(labels)[:12]} fit {fits}; expected a mask of vertebral bodies. "
        f"Name the scheme: {', '.join(BODY_SCHEMES)}."
    )


def _few_labels(name: str, mask: LabelMap) -> set[int]:
    low, high = int(mask.array.min(initial=0)), int(mask.array.max(initial=0))
    if low < 0 or high > 1000:
        raise LabelError(
            f"{name}: values from {low} to {high} are no labels; expected a mask of vertebral "
            "bodies. Is it the CT?"
        )
    return set(mask.extents)
