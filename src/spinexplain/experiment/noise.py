"""What identical trainings with other seeds differ by, and what a difference is worth beside it.

A difference of two trainings has two sources of chance: which subjects were held out, and
what the seed made of the training. A bootstrap over subjects knows the first alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from spinexplain.config.entries import Entry, with_setting
from spinexplain.evaluate.figures import HEADLINE

FIGURE = "class_average_f1"


def again(base: Entry, seeds: int) -> tuple[Entry, ...]:
    """Return the same training with the next seeds, ``seeds`` of them with the base's own.

    Examples
    --------
    >>> from spinexplain.config.training import TrainConfig
    >>> [entry.name for entry in again(Entry("p", TrainConfig(seed=4)), 3)]
    ['p-again-seed=5', 'p-again-seed=6']
    """
    first = base.config.seed
    return tuple(
        Entry(f"{base.name}-again-seed={seed}", with_setting(base.config, "seed", seed, base.name))
        for seed in range(first + 1, first + seeds)
    )


def noise_of(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Measure what identical trainings differ by.

    Parameters
    ----------
    entries : sequence of mapping
        Judged entries of a cross-validation that differ in their seed alone: ``name``,
        ``folds`` (figure -> a value a fold) and ``mean`` (figure -> their mean).

    Returns
    -------
    dict
        ``"floor"``: by figure, the largest difference of two of the means over folds;
        ``"training_error"``: by figure, the 97.5 % half-width of the difference of two
        trainings, as far as the seed makes it (None without a second training);
        ``"degrees_of_freedom"``; ``"entries"``: their names.

    Notes
    -----
    Within a fold the figures of the trainings differ by seed alone. With variance v of a
    fold, averaged over the K folds, K (S - 1) degrees of freedom, the mean over folds of
    two trainings differs with variance 2 v / K; the half-width is Student's quantile times
    its root. Folds are taken to vary alike.

    Examples
    --------
    >>> made = [
    ...     {"name": n, "folds": dict.fromkeys(HEADLINE, f), "mean": dict.fromkeys(HEADLINE, m)}
    ...     for n, f, m in (("a", [0.8, 0.9], 0.85), ("b", [0.8, 0.8], 0.8))
    ... ]
    >>> round(noise_of(made)["floor"]["class_average_f1"], 3)
    0.05
    """
    values = {key: np.array([entry["folds"][key] for entry in entries]) for key in HEADLINE}
    trainings, folds = values[FIGURE].shape
    freedom = folds * (trainings - 1)
    return {
        "entries": [entry["name"] for entry in entries],
        "degrees_of_freedom": freedom,
        "floor": {key: _floor([entry["mean"][key] for entry in entries]) for key in HEADLINE},
        "training_error": {
            key: _half_width(found, freedom) if freedom else None for key, found in values.items()
        },
    }


def _floor(means: Sequence[float]) -> float | None:
    return max((abs(a - b) for a, b in combinations(means, 2)), default=None)


def _half_width(values: np.ndarray, freedom: int) -> float:
    from scipy.stats import t as student

    variance = float(np.mean(np.var(values, axis=0, ddof=1)))
    return float(student.ppf(0.975, freedom) * math.sqrt(2 * variance / values.shape[1]))


def judged_difference(pair: Mapping[str, Any], noise: Mapping[str, Any]) -> dict[str, Any]:
    """Say by figure what a difference is worth: its interval with both chances, and a word.

    Parameters
    ----------
    pair : mapping
        A comparison with ``"differences"``: figure -> value, low, high of the subject
        bootstrap (None where there was none).
    noise : mapping
        What :func:`noise_of` returns.

    Returns
    -------
    dict
        Figure -> ``"low"``, ``"high"`` and ``"verdict"``: ``"none"`` not above what
        identical trainings differ by; ``"not sure"`` where the interval holds 0;
        ``"better"`` or ``"worse"``; ``"not judged"`` without a second training or an interval.

    Examples
    --------
    >>> noise = {"floor": {"f": 0.01}, "training_error": {"f": 0.03}}
    >>> pair = {"differences": {"f": {"value": 0.06, "low": 0.02, "high": 0.1}}}
    >>> found = judged_difference(pair, noise)["f"]
    >>> round(found["low"], 3), found["verdict"]
    (0.01, 'better')
    """
    return {
        key: _judged(found, noise["floor"].get(key), noise["training_error"].get(key))
        for key, found in pair["differences"].items()
    }


def _judged(found: Mapping[str, Any], floor: float | None, error: float | None) -> dict[str, Any]:
    value, low, high = found["value"], found["low"], found["high"]
    if floor is None or error is None:
        return {"low": low, "high": high, "verdict": "not judged"}
    if low is not None:
        low = value - math.hypot(value - low, error)
        high = value + math.hypot(high - value, error)
    return {"low": low, "high": high, "verdict": _verdict(value, low, high, floor)}


def _verdict(value: float, low: float | None, high: float | None, floor: float) -> str:
    if abs(value) <= floor:
        return "none"
    if low is None or high is None:
        return "not judged"
    if low <= 0 <= high:
        return "not sure"
    return "better" if value > 0 else "worse"


def noise_markdown(results: Mapping[str, Any]) -> str:
    """Write the floor, and every difference from the base beside it, as Markdown."""
    noise = results["noise"]
    floor, error = noise["floor"][FIGURE], noise["training_error"][FIGURE]
    if floor is None or error is None:
        return (
            "No noise floor: the preset was trained once. A difference here may be the seed's; "
            "give --seeds 3.\n"
        )
    lines = [
        f"Noise floor: {len(noise['entries'])} identical trainings with other seeds differ by up "
        f"to {_points(floor)} points of class-average F1. A difference not above it is called "
        f"none. Intervals (95 %) hold test sampling and training: by the seed alone two trainings "
        f"differ by {_points(error)} or less in 95 of 100 ({noise['degrees_of_freedom']} degrees "
        "of freedom).",
        "",
        "| first − second | difference (95 %, with training) | is |",
        "|---|---|---|",
    ]
    for pair in results["comparisons"]:
        if pair["first"] not in noise["entries"]:
            lines.append(_row(pair))
    return "\n".join(lines) + "\n"


def _row(pair: Mapping[str, Any]) -> str:
    judged = pair["with_training"][FIGURE]
    cell = _signed(pair["differences"][FIGURE]["value"])
    if judged["low"] is not None:
        cell += f" ({_signed(judged['low'])} to {_signed(judged['high'])})"
    return f"| {pair['first']} − {pair['second']} | {cell} | {judged['verdict']} |"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")
