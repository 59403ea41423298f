"""The curves that a trained curve network finds in scans of the training persons."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from spinexplain.geometry import apply_affine, fit_curve
from spinexplain.io.json_file import write_json
from spinexplain.localizer.ridge import find_ridge
from spinexplain.localizer.spine_map import CurveAnswers, spine_map
from spinexplain.progress import SILENT, Progress
from spinexplain.train.localizer.bodies import DrawnBody
from spinexplain.train.localizer.fields import AIR_HU, SeenBox, draw_seen
from spinexplain.train.localizer.level_batches import FoundCurve
from spinexplain.types import Volume

FILE = "found-curves.json"

_KEY = 33
_CAUDAL = np.array([0.0, 0.0, -1.0])


def found_curves(
    network: CurveAnswers,
    bodies: Sequence[DrawnBody],
    scans: int,
    seed: int,
    folder: Path,
    progress: Progress = SILENT,
) -> Mapping[str, Sequence[FoundCurve]]:
    """Run the curve network on random fields of view of every person.

    Parameters
    ----------
    network : callable
        See :func:`~spinexplain.localizer.spine_map.spine_map`.
    bodies : sequence of DrawnBody
    scans : int
        Fields of view a person.
    seed : int
    folder : Path
        Curves that were found before are kept here; only those of other persons are looked for.
    progress : Progress

    Returns
    -------
    mapping of str to list of FoundCurve
        By the persons' names; scans where no curve was found are left out.
    """
    path = folder / FILE
    found = _read(path) if path.is_file() else {}
    new = [(index, body) for index, body in enumerate(bodies) if body.name not in found]
    for done, (index, body) in enumerate(new):
        rng = np.random.default_rng([seed, _KEY, index])
        found[body.name] = list(_of_body(network, body, scans, rng))
        progress.step("curves", done + 1, len(new))
    if new:
        folder.mkdir(parents=True, exist_ok=True)
        content = {name: [_as_content(one) for one in many] for name, many in found.items()}
        write_json(path, content)
    return found


def _as_content(one: FoundCurve) -> dict[str, list]:
    arrays = {"low": one.seen.low_mm, "high": one.seen.high_mm, "knots": one.curve.knots_mm}
    return {name: array.round(2).tolist() for name, array in arrays.items()}


def _read(path: Path) -> dict[str, list[FoundCurve]]:
    content = json.loads(path.read_text("utf-8"))
    return {
        name: [
            FoundCurve(
                SeenBox(np.array(one["low"]), np.array(one["high"])),
                fit_curve(np.array(one["knots"]), _CAUDAL),
            )
            for one in many
        ]
        for name, many in content.items()
    }


def _of_body(
    network: CurveAnswers, body: DrawnBody, scans: int, rng: np.random.Generator
) -> Iterator[FoundCurve]:
    for _ in range(scans):
        scan, seen = seen_scan(body, rng)
        probabilities = spine_map(scan, network)
        ridge = find_ridge(1.0 - probabilities[0], scan.affine)
        if ridge is not None:
            yield FoundCurve(seen, ridge.curve)


def seen_scan(body: DrawnBody, rng: np.random.Generator) -> tuple[Volume, SeenBox]:
    """Cut a scan with a random field of view out of a person, at 4 mm, with some noise."""
    shape = np.array(body.whole.array.shape)
    ends = apply_affine(body.whole.affine, np.stack([np.zeros(3), shape - 1.0]))
    seen = draw_seen(rng, body.centers_mm, ends[0], ends[1])
    back = np.linalg.inv(body.whole.affine)
    low = np.clip(np.ceil(apply_affine(back, seen.low_mm)), 0, shape - 1).astype(int)
    high = np.clip(np.floor(apply_affine(back, seen.high_mm)) + 1, low + 1, shape).astype(int)
    x, y, z = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    array = np.array(body.whole.array[x, y, z], np.float32)
    array += rng.standard_normal(array.shape, np.float32) * float(rng.uniform(5, 50))
    affine = body.whole.affine.copy()
    affine[:3, 3] = apply_affine(body.whole.affine, low.astype(float))
    return Volume(np.maximum(array, AIR_HU), affine), seen
