"""Whether an archive looks like what its model learned from: HU, spacing and score."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.errors import FileFormatError
from spinexplain.io.files import unreadable

if TYPE_CHECKING:
    import pandas as pd

TRAINING_SCHEMA = "spinexplain/training-values/1"
WHAT = ("body_hu", "score", "spacing_x_mm", "spacing_z_mm")
SHIFTED, DRIFTED = 0.1, 0.25
"""From which index on a distribution is called shifted, and drifted: the usual lines."""
_BINS, _SIMULATIONS = 10, 400


@dataclass(frozen=True)
class TrainingValues:
    """What a model learned from, as quantiles.

    Parameters
    ----------
    model : str
        Name and version.
    weights_sha256 : str
    source : str
        Which vertebrae the quantiles are of, in words.
    vertebrae : int
    values : mapping of str to mapping of str to tuple of float
        One of ``WHAT``, then the class that the model calls a vertebra, to evenly spaced
        quantiles from the smallest to the largest value. What is not known is left out.
    """

    model: str
    weights_sha256: str
    source: str
    vertebrae: int
    values: Mapping[str, Mapping[str, tuple[float, ...]]]


def stability_index(new: np.ndarray, old: np.ndarray, weights: np.ndarray) -> float:
    """Return the population stability index of new values against old ones.

    Parameters
    ----------
    new : ndarray, shape (n,)
    old, weights : ndarray, shape (m,)
        What the new ones are compared with, and how much each counts.

    Returns
    -------
    float
        0 for the same distribution; not bounded.

    Notes
    -----
    PSI = sum over bins of (p - q) ln(p / q), where the bins are the tenths of the old values,
    p and q the shares of new and old ones. Half a value is added to every bin, so that an empty
    one is no infinity.

    Examples
    --------
    >>> old = np.arange(1000.0)
    >>> same = stability_index(old, old, np.ones(1000))
    >>> round(same, 3), round(stability_index(old + 500, old, np.ones(1000)), 1)
    (0.0, 3.5)
    """
    order = np.argsort(old, kind="stable")
    known, share = old[order], np.cumsum(weights[order]) / weights.sum()
    at = np.searchsorted(share, np.arange(1, _BINS) / _BINS)
    edges = np.unique(known[np.minimum(at, len(known) - 1)])
    counts = np.bincount(np.searchsorted(edges, new, side="left"), minlength=len(edges) + 1)
    expected = np.bincount(
        np.searchsorted(edges, old, side="left"), weights, minlength=len(edges) + 1
    )
    p = (counts + 0.5) / (counts + 0.5).sum()
    q = expected / weights.sum()
    q = (q * len(new) + 0.5) / (q * len(new) + 0.5).sum()
    return float(np.sum((p - q) * np.log(p / q)))


def chance_index(count: int, old: np.ndarray, weights: np.ndarray, seed: int = 0) -> float:
    """Return what the index reaches by chance: its 95th percentile with no drift at all.

    Parameters
    ----------
    count : int
        How many values are drawn from the old ones, again and again: an archive against itself.
    old, weights : ndarray, shape (m,)
    seed : int
    """
    rng = np.random.default_rng([seed, count])
    share = weights / weights.sum()
    drawn = (rng.choice(old, count, p=share) for _ in range(_SIMULATIONS))
    return float(np.quantile([stability_index(one, old, weights) for one in drawn], 0.95))


def drift_from_training(
    scans: pd.DataFrame, vertebrae: pd.DataFrame, known: TrainingValues
) -> list[dict[str, Any]]:
    """Compare an archive with what its model learned from.

    Vertebrae are compared in the archive's own mixture of the classes that the model called, so
    that more or fewer fractures than in the training are no drift.

    Parameters
    ----------
    scans, vertebrae : DataFrame
        As :func:`spinexplain.jobs.batch.index.read_index` returns them.
    known : TrainingValues

    Returns
    -------
    list of dict
        One a figure: ``what``, ``median``, ``median_before``, ``index``, ``by_chance`` (as many
        values as there are scans, drawn from the training: vertebrae of one scan are alike),
        ``gap`` (Kolmogorov-Smirnov), ``verdict``; ``index`` is None where training or archive do
        not know it, and ``verdict`` says so.
    """
    return [_row(what, scans, vertebrae, known) for what in WHAT]


def _row(
    what: str, scans: pd.DataFrame, vertebrae: pd.DataFrame, known: TrainingValues
) -> dict[str, Any]:
    by_class = known.values.get(what)
    if by_class is None:
        return {"what": what, "index": None, "verdict": "not known of the training"}
    if what.startswith("spacing"):
        new = scans[what].dropna().to_numpy(float)
        shares = dict.fromkeys(by_class, 1.0)
    else:
        graded = vertebrae[vertebrae["grade"].isin(list(by_class)) & vertebrae[what].notna()]
        new = graded[what].to_numpy(float)
        shares = {str(k): float(v) for k, v in graded["grade"].value_counts().items()}
    if not len(new):
        return {"what": what, "index": None, "verdict": "not known of this archive"}
    old = np.concatenate([np.asarray(by_class[name]) for name in shares])
    sizes = [len(by_class[name]) for name in shares]
    weights = np.repeat([s / n for s, n in zip(shares.values(), sizes, strict=True)], sizes)
    index = stability_index(new, old, weights)
    persons = int(scans["state"].eq("graded").sum())
    chance = chance_index(max(min(persons, len(new)), 1), old, weights)
    order = np.argsort(old)
    middle = old[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)]
    return {
        "what": what,
        "median": round(float(np.median(new)), 3),
        "median_before": round(float(middle), 3),
        "index": round(index, 3),
        "by_chance": round(chance, 3),
        "gap": round(_gap(new, old, weights), 3),
        "verdict": _verdict(index, chance),
    }


def _gap(new: np.ndarray, old: np.ndarray, weights: np.ndarray) -> float:
    """Return the largest distance of the two cumulative distributions."""
    places = np.unique(np.concatenate([new, old]))
    order = np.argsort(old)
    cumulated = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    before = cumulated[np.searchsorted(old[order], places, side="right")]
    now = np.searchsorted(np.sort(new), places, side="right") / len(new)
    return float(np.abs(now - before).max())


def _verdict(index: float, chance: float) -> str:
    """Say what an index means.

    Examples
    --------
    >>> [_verdict(index, 0.15) for index in (0.05, 0.12, 0.2, 0.4)]
    ['as in the training', 'as in the training', 'shifted', 'drifted']
    >>> _verdict(0.3, 0.5)
    'too few scans to say'
    """
    if chance > DRIFTED:
        return "drifted" if index > 2 * chance else "too few scans to say"
    if index <= max(SHIFTED, chance):
        return "as in the training"
    return "drifted" if index > DRIFTED else "shifted"


def in_words(row: Mapping[str, Any]) -> str:
    """Say one figure's drift in a line.

    Examples
    --------
    >>> in_words({"what": "score", "index": None, "verdict": "not known of the training"})
    'score: not known of the training'
    """
    name = str(row["what"]).replace("_", " ")
    if row["index"] is None:
        return f"{name}: {row['verdict']}"
    return (
        f"{name}: {row['verdict']} (median {row['median']:g}, in the training "
        f"{row['median_before']:g}; index {row['index']:.2f}, by chance up to "
        f"{row['by_chance']:.2f})"
    )


def known_training(model_sha256s: set[str]) -> TrainingValues | None:
    """Return what is known of the training of a shipped model; None of others.

    Parameters
    ----------
    model_sha256s : set of str
        Bundle hashes in the archive; of several models nothing is compared.
    """
    from spinexplain.io.files import sha256_file
    from spinexplain.models.bundle.folder import MANIFEST, locate, shipped_models

    if len(model_sha256s) != 1:
        return None
    for name in shipped_models():
        folder = locate(name)
        if sha256_file(folder / MANIFEST) in model_sha256s:
            return _shipped().get(sha256_file(folder / "model.safetensors"))
    return None


@cache
def _shipped() -> dict[str, TrainingValues]:
    path = resources.files("spinexplain.jobs.batch") / "training.json"
    listed = json.loads(path.read_text("utf-8"))
    return {one["weights_sha256"]: _parsed(one) for one in listed}


def read_training(path: Path) -> TrainingValues:
    """Read what ``summarize --model --cohort`` kept.

    Raises
    ------
    FileFormatError
        If it is nothing of the kind.
    """
    try:
        content = json.loads(path.read_text("utf-8-sig"))
        if content["schema"] != TRAINING_SCHEMA:
            raise ValueError(content["schema"])
        return _parsed(content)
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: holds no values of a training ({type(error).__name__}); expected what "
            "summarize --model --cohort kept. Measure it again."
        ) from None


def _parsed(content: Mapping[str, Any]) -> TrainingValues:
    values = {
        str(what): {str(name): tuple(map(float, row)) for name, row in by_class.items()}
        for what, by_class in content["values"].items()
    }
    return TrainingValues(
        str(content["model"]),
        str(content["weights_sha256"]),
        str(content["source"]),
        int(content["vertebrae"]),
        values,
    )


def dumped_training(known: TrainingValues) -> dict[str, Any]:
    """Return values of a training as JSON has them."""
    return {
        "schema": TRAINING_SCHEMA,
        "model": known.model,
        "weights_sha256": known.weights_sha256,
        "source": known.source,
        "vertebrae": known.vertebrae,
        "values": {what: dict(by_class) for what, by_class in known.values.items()},
    }
