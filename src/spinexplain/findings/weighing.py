"""How much each witness counts, as fitted on phantoms and stored with the package."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from math import inf, isfinite
from pathlib import Path
from typing import Any

from spinexplain.errors import ConfigError
from spinexplain.findings.grade_set import SeverityScale
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
        Log odds per unit of what the witnesses say, see
        :func:`~spinexplain.findings.witness.spoken_values`; not below 0.
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
    scales : mapping of str to SeverityScale
        By the same names: each grade's range of severity on held-out phantoms.
    coverage : float
        How often a set of grades by those ranges holds the true one.
    image : mapping of str to tuple of 2 floats
        Term of the image -> its range among the scans of the fit.
    """

    models: Mapping[str, str]
    sets: Mapping[str, Weighing]
    operating_point: Mapping[str, Any] = field(default_factory=dict)
    scales: Mapping[str, SeverityScale] = field(default_factory=dict)
    coverage: float = 0.0
    image: Mapping[str, tuple[float, float]] = field(default_factory=dict)

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
            weight, or another one, counts only where no network on sheets speaks.
        """
        present = set(names)
        found = self.sets.get(_key(present))
        foreign = {n for n in present & set(models) if self.models.get(n) != models[n]}
        if found is None or (DETECTOR in foreign and PROTOTYPES in present):
            return self._nearest(present)
        return replace(found, calibrated=found.calibrated and not foreign)

    def scale(self, names: Iterable[str], models: Mapping[str, str]) -> SeverityScale | None:
        """Return the scale of severity of these witnesses.

        Parameters
        ----------
        names : iterable of str
        models : mapping of str to str
            Hash of the weights of every network among them.

        Returns
        -------
        SeverityScale or None
            None where there is none, or a network is another one than it was fitted to: a
            set of grades would then promise what nobody has counted. A detector without a
            scale is passed over beside a network on sheets.
        """
        present = set(names)
        if _key(present) not in self.scales and PROTOTYPES in present:
            present -= {DETECTOR}
        known = all(self.models.get(name) == models[name] for name in present & set(models))
        return self.scales.get(_key(present)) if known else None

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
        scales={name: _read_scale(one) for name, one in content.get("scales", {}).items()},
        coverage=content.get("coverage", 0.0),
        image={name: (low, high) for name, (low, high) in content.get("image", {}).items()},
    )


def _read_scale(content: Mapping[str, Any]) -> SeverityScale:
    """Read one scale; an end that is null is open."""
    ranges = {
        grade: (-inf if low is None else low, inf if high is None else high)
        for grade, (low, high) in content["ranges"].items()
    }
    return SeverityScale(content["weights"], ranges)


def _scale_content(scale: SeverityScale) -> dict[str, Any]:
    ranges = {
        grade: [end if isfinite(end) else None for end in ends]
        for grade, ends in scale.ranges.items()
    }
    return {"weights": dict(scale.weights), "ranges": ranges}


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
        **_set_content(calibration),
    }


def _set_content(calibration: VerdictCalibration) -> dict[str, Any]:
    """Return what sets of grades need; nothing where none were calibrated."""
    if not calibration.scales:
        return {}
    return {
        "coverage": calibration.coverage,
        "scales": {name: _scale_content(one) for name, one in calibration.scales.items()},
        "image": {name: list(ends) for name, ends in calibration.image.items()},
    }


@cache
def stored_calibration() -> VerdictCalibration:
    """Return the calibration that comes with the package."""
    text = (resources.files("spinexplain.findings") / STORED).read_text("utf-8")
    return read_calibration(json.loads(text))


def joined(
    calibration: VerdictCalibration, others: VerdictCalibration, fitted_on: Mapping[str, Any]
) -> VerdictCalibration:
    """Add the sets with a detector to a calibration, whose own sets stay as they are.

    Parameters
    ----------
    calibration : VerdictCalibration
    others : VerdictCalibration
        Fitted to the same network on sheets, and to a detector; without sets where too few
        spines were there to fit, which changes nothing.
    fitted_on : mapping
        What the others were fitted to, for the page.

    Raises
    ------
    ConfigError
        If they were fitted to another network on sheets.
    """
    theirs, ours = others.models.get(PROTOTYPES), calibration.models.get(PROTOTYPES)
    if theirs != ours:
        raise ConfigError(
            f"the sets with a detector were fitted to the network on sheets {theirs}, the others "
            f"to {ours}; expected the same. Run `spinexplain reproduce verdict-detector --fresh`."
        )
    if not others.sets:
        return calibration
    added = {name: one for name, one in others.sets.items() if name not in calibration.sets}
    return replace(
        calibration,
        models={**others.models, **calibration.models},
        sets={**calibration.sets, **added},
        operating_point={**calibration.operating_point, "detector_fitted_on": dict(fitted_on)},
    )


def ship(results: Path, detector: Path | None = None) -> Path:
    """Make the calibration of stored results that of the package.

    Parameters
    ----------
    results : Path
        ``verdict.json`` of the study ``verdict``.
    detector : Path, optional
        ``verdict-detector.json`` of the study of that name, for the sets with a detector.
    """
    path = Path(str(resources.files("spinexplain.findings") / STORED))
    content = as_content(from_results(results, detector))
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return path


def from_results(results: Path, detector: Path | None = None) -> VerdictCalibration:
    """Read what :func:`ship` stores."""
    found = read_calibration(json.loads(results.read_text("utf-8"))["calibration"])
    if detector is None:
        return found
    beside = json.loads(detector.read_text("utf-8"))
    return joined(found, read_calibration(beside["calibration"]), beside["fitted_on"])


if __name__ == "__main__":
    ship(*map(Path, sys.argv[1:3]))
