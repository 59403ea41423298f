"""Whether the curve and the body network, trained on, are better in persons they never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from spinexplain.errors import ModelError
from spinexplain.evaluate.bootstrap import subject_bootstrap
from spinexplain.geometry import BoxFrame, box_axes
from spinexplain.localizer.body_frame import BODY_SHAPE, BODY_STEP_MM
from spinexplain.localizer.coarse import WHOLE_MM
from spinexplain.localizer.networks import Network, load_networks, shipped_networks
from spinexplain.localizer.refine import mask_place
from spinexplain.localizer.ridge import Ridge, find_ridge
from spinexplain.localizer.segment import body_share
from spinexplain.localizer.spine_map import spine_map
from spinexplain.models.body_network import OWN
from spinexplain.models.localizing import as_densities
from spinexplain.reproduce.levels_learned import Persons, drawn
from spinexplain.reproduce.localizer import EARLIER
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.shipped_bodies import PER_BODY, PRESETS
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.body_crops import BodyCrop, body_crops
from spinexplain.train.localizer.curve_batches import SMALL_PIECES, USUAL_PIECES, seen_piece
from spinexplain.types import Volume

RESULTS = "localizer-trained-on.json"
VALIDATION, PERSONS, PIECES = Persons("wide-test", 8), 16, 5
CROP_SEED, CROP_PERSONS = 12, 24
KINDS = {"usual": USUAL_PIECES, "small": SMALL_PIECES}
NEAR_MM = 12.0
"""From the middle of the spine to a path that runs on it: the body's half width."""

_KEY = 51

Rows = list[dict[str, Any]]


def measure(setting: Setting, persons: int = PERSONS, crop_persons: int = CROP_PERSONS) -> None:
    """Ask the networks that are shipped, and the earlier ones in ``localizer-before``.

    Raises
    ------
    ModelError
        If that folder holds no localizer, or the shipped one, which would stand beside itself.
    """
    torch.set_num_threads(1)
    versions = {"before": load_networks(setting.work / EARLIER), "after": shipped_networks()}
    if versions["before"].info.sha256 == versions["after"].info.sha256:
        raise ModelError(
            f"{setting.work / EARLIER} holds the shipped localizer; expected an earlier one. Put "
            "that one there."
        )
    bodies = drawn(setting, VALIDATION, persons)
    curve = {way: curve_rows(networks.curve, bodies, PIECES) for way, networks in versions.items()}
    crops = list(_crops(setting, crop_persons))
    body = {way: body_rows(networks.body, crops) for way, networks in versions.items()}
    curve["blind"], body["blind"] = blind_paths(bodies, PIECES), blind_bodies(crops)
    content = {
        "versions": {way: networks.info.version for way, networks in versions.items()},
        "near_mm": NEAR_MM,
        "curve": {"preset": VALIDATION.preset, "seed": VALIDATION.seed, "persons": persons}
        | {kind: compared(_of_kind(curve, kind), ("on_spine", "held")) for kind in KINDS},
        "body": {"presets": PRESETS, "seed": CROP_SEED, "persons": crop_persons}
        | compared(body, ("dice", "away_mm", "none")),
    }
    setting.store(RESULTS, content)


def _of_kind(rows: Mapping[str, Rows], kind: str) -> dict[str, Rows]:
    return {way: [row for row in own if row["kind"] == kind] for way, own in rows.items()}


def curve_rows(network: Network, bodies: Sequence[DrawnBody], pieces: int) -> Rows:
    """Lay the path through pieces of persons, those that training draws and small ones.

    Returns
    -------
    list of dict
        A piece: ``person``, ``kind``, ``on_spine`` (share of the planes with a spine that the
        path passes within 12 mm of the spine's middle) and ``held`` (share of the path's planes
        that lie so).
    """
    return [
        {"person": number, "kind": kind, **path_figures(network, *_piece(body, number, k, kind))}
        for number, body in enumerate(bodies)
        for kind in KINDS
        for k in range(pieces)
    ]


def _piece(body: DrawnBody, number: int, k: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([_KEY, number, k, list(KINDS).index(kind)])
    hu, regions = seen_piece(body, rng, KINDS[kind])
    return hu.numpy(), regions.numpy()


def blind_paths(bodies: Sequence[DrawnBody], pieces: int) -> Rows:
    """Judge a path that never looks: straight down where the spines of these pieces lie on average.

    Returns
    -------
    list of dict
        As of :func:`curve_rows`, the same pieces in the same order.
    """
    keys = [(n, kind, k) for n in range(len(bodies)) for kind in KINDS for k in range(pieces)]
    truths = [middles(_piece(bodies[n], n, k, kind)[1] > 0) for n, kind, k in keys]
    path = np.tile(np.nanmean(np.concatenate(truths), axis=0), (len(truths[0]), 1))
    return [
        {"person": n, "kind": kind, **_shares_near(path, truth)}
        for (n, kind, _), truth in zip(keys, truths, strict=True)
    ]


def blind_bodies(crops: Sequence[tuple[int, BodyCrop]]) -> Rows:
    """Judge the mean body of these very crops, painted without looking; as :func:`body_rows`."""
    mean = np.mean([crop.own / 255.0 for _, crop in crops], axis=0).astype(np.float32)
    return [{"person": person, **body_figures(mean, crop.own / 255.0)} for person, crop in crops]


def path_figures(network: Network, hu: np.ndarray, regions: np.ndarray) -> dict[str, float]:
    """Compare the path through a piece at 4 mm with where its spine is, plane by plane."""
    scan = Volume(hu, np.diag([WHOLE_MM, WHOLE_MM, WHOLE_MM, 1.0]))
    ridge = find_ridge(1.0 - spine_map(scan, network)[0], scan.affine)
    return _shares_near(middles_of_path(ridge, hu.shape[2]), middles(regions > 0))


def _shares_near(path: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    away = WHOLE_MM * np.linalg.norm(path - truth, axis=1)
    near = away <= NEAR_MM  # False where either is missing
    there, passed = np.isfinite(truth[:, 0]), np.isfinite(path[:, 0])
    return {
        "on_spine": float(near.sum() / max(there.sum(), 1)),
        "held": float(near.sum() / max(passed.sum(), 1)),
    }


def middles(spine: np.ndarray) -> np.ndarray:
    """Return the middle of a spine in every plane, shape (Z, 2) voxels; NaN where there is none.

    Examples
    --------
    >>> spine = np.zeros((3, 5, 2), bool)
    >>> spine[1, 2:4, 0] = True
    >>> middles(spine).tolist()
    [[1.0, 2.5], [nan, nan]]
    """
    found = np.full((spine.shape[2], 2), np.nan)
    for z in np.flatnonzero(spine.any(axis=(0, 1))):
        found[z] = np.argwhere(spine[:, :, z]).mean(axis=0)
    return found


def middles_of_path(ridge: Ridge | None, planes: int) -> np.ndarray:
    """Return where a path passes every plane, shape (Z, 2) voxels; NaN where it does not."""
    found = np.full((planes, 2), np.nan)
    if ridge is None:
        return found
    points = ridge.curve.at(np.arange(0.0, ridge.curve.length_mm, WHOLE_MM / 4)) / WHOLE_MM
    plane = np.rint(points[:, 2]).astype(int)
    for z in np.unique(plane[(plane >= 0) & (plane < planes)]):
        found[z] = points[plane == z, :2].mean(axis=0)
    return found


def _crops(setting: Setting, persons: int) -> Iterator[tuple[int, BodyCrop]]:
    for index in range(persons):
        preset = PRESETS[index % len(PRESETS)]
        yield from ((index, crop) for crop in body_crops(preset, CROP_SEED, index, PER_BODY))
        setting.progress.step("Persons", index + 1, persons)


def body_rows(network: Network, crops: Sequence[tuple[int, BodyCrop]]) -> Rows:
    """Paint crops and compare with the true body.

    Returns
    -------
    list of dict
        A crop: ``person``, ``dice``, ``away_mm`` (from the true body's middle to the painted
        one's; that of the crop where nothing is painted) and ``none`` (1 where it is so).
    """
    rows = []
    for person, crop in crops:
        logits = network(as_densities(crop.hu.astype(np.float32))[None, None])[0, OWN]
        rows.append({"person": person, **body_figures(body_share(logits), crop.own / 255.0)})
    return rows


def body_figures(share: np.ndarray, own: np.ndarray) -> dict[str, float]:
    """Compare one painted body with the true one; see :func:`body_rows`."""
    painted, true = share > 0.5, own > 0.5
    overlap = 2.0 * (painted & true).sum() / max(painted.sum() + true.sum(), 1)
    frame = BoxFrame(np.zeros(3), box_axes(np.array([0.0, 0.0, -1.0])), BODY_SHAPE, BODY_STEP_MM)
    there, wanted = mask_place(share, frame), mask_place(own, frame)
    target = np.zeros(3) if wanted is None else wanted[1]
    found = np.zeros(3) if there is None else there[1]
    away = float(np.linalg.norm(found - target))
    return {"dice": float(overlap), "away_mm": away, "none": float(there is None)}


def compared(rows: Mapping[str, Rows], names: Sequence[str]) -> dict[str, Any]:
    """Return the means of some figures by each way, and their paired difference by person.

    Parameters
    ----------
    rows : mapping of str to list of dict
        ``before``, ``after`` and ``blind``, the same pieces in the same order.
    names : sequence of str

    Returns
    -------
    dict
        ``count`` of pieces; by figure ``before``, ``after``, ``blind`` and ``more``: what is
        added from before to after, and the interval that holds it in 95 of 100 draws of persons.
    """
    persons = np.array([str(row["person"]) for row in rows["after"]])
    found: dict[str, Any] = {"count": len(persons)}
    for name in names:
        before, after, blind = (
            np.array([row[name] for row in rows[way]]) for way in ("before", "after", "blind")
        )
        more = subject_bootstrap(_mean_of(after - before), persons, 0)
        found[name] = {
            "before": round(float(before.mean()), 4),
            "after": round(float(after.mean()), 4),
            "blind": round(float(blind.mean()), 4),
            "more": [round(float(value), 4) for value in (more.value, more.low, more.high)],
        }
    return found


def _mean_of(values: np.ndarray) -> Callable[[np.ndarray], float]:
    return lambda rows: float(values[rows].mean())
