"""How much each witness counts, as fitted on phantoms and stored with the package."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from spinexplain.findings.witness import DETECTOR, PROTOTYPES, WITNESSES

STORED = "verdict.json"


@dataclass(frozen=True)
class Weighing:
    """The additive model for one set of witnesses.

    Parameters
    ----------
    base : float
        Log odds of a fracture before anybody speaks.
    weights : mapping of str to float
        Log odds per unit of each witness; not below 0.
    suspected, borderline : float
        Log odds from which a fracture is suspected, and from which the verdict is borderline.
    calibrated : bool
        Whether it was fitted to these very models.
    """

    base: float
    weights: Mapping[str, float]
    suspected: float
    borderline: float
    calibrated: bool


@dataclass(frozen=True)
class VerdictCalibration:
    """The weighings of every set of witnesses, and the models they were fitted to.

    Parameters
    ----------
    models : mapping of str to str
        Witness -> hash of the network's weights.
    sets : mapping of str to Weighing
        Names of the witnesses joined by ``+``, in the order of :data:`WITNESSES`.
    operating_point : mapping
        What the thresholds were chosen for, and what that costs, for the page.
    """

    models: Mapping[str, str]
    sets: Mapping[str, Weighing]
    operating_point: Mapping[str, Any] = field(default_factory=dict)

    def weighing(self, names: Iterable[str], models: Mapping[str, str]) -> Weighing:
        """Return how witnesses are weighed.

        Parameters
        ----------
        names : iterable of str
            The witnesses that are there; at least one.
        models : mapping of str to str
            Hash of the weights of every network among them.

        Returns
        -------
        Weighing
            Not ``calibrated`` where a network is another one than it was fitted to: its log
            odds then count as those of the network that was. A detector without fitted
            weight counts only where no other network speaks.
        """
        present = set(names)
        found = self.sets.get(_key(present))
        if found is None:
            return self._nearest(present)
        known = all(self.models.get(name) == models[name] for name in present & set(models))
        return replace(found, calibrated=found.calibrated and known)

    def _nearest(self, present: set[str]) -> Weighing:
        """Weigh a set that was not fitted: a detector speaks where no other network does."""
        others = present - {DETECTOR}
        stand_in = others if PROTOTYPES in others else others | {PROTOTYPES}
        found = self.sets[_key(stand_in)]
        weights = {**found.weights, DETECTOR: 0.0}
        if PROTOTYPES not in others:
            weights[DETECTOR] = found.weights[PROTOTYPES]
        return replace(found, weights=weights, calibrated=False)


def _key(names: set[str]) -> str:
    return "+".join(name for name in WITNESSES if name in names)


def read_calibration(content: Mapping[str, Any]) -> VerdictCalibration:
    """Read a calibration from what :func:`as_content` wrote."""
    return VerdictCalibration(
        models=dict(content["models"]),
        sets={name: Weighing(**one, calibrated=True) for name, one in content["sets"].items()},
        operating_point=content.get("operating_point", {}),
    )


def as_content(calibration: VerdictCalibration) -> dict[str, Any]:
    """Return a calibration as JSON-ready content."""
    return {
        "models": dict(calibration.models),
        "sets": {
            name: {
                "base": one.base,
                "weights": dict(one.weights),
                "suspected": one.suspected,
                "borderline": one.borderline,
            }
            for name, one in calibration.sets.items()
        },
        "operating_point": dict(calibration.operating_point),
    }


@cache
def stored_calibration() -> VerdictCalibration:
    """Return the calibration that comes with the package."""
    text = (resources.files("spinexplain.findings") / STORED).read_text("utf-8")
    return read_calibration(json.loads(text))


def ship(results: Path) -> Path:
    """Make the calibration of stored results that of the package.

    Parameters
    ----------
    results : Path
        ``verdict.json`` of the study ``verdict``.
    """
    content = json.loads(results.read_text("utf-8"))["calibration"]
    path = Path(str(resources.files("spinexplain.findings") / STORED))
    path.write_text(json.dumps(as_content(read_calibration(content)), indent=1) + "\n", "utf-8")
    return path


if __name__ == "__main__":
    ship(Path(sys.argv[1]))
