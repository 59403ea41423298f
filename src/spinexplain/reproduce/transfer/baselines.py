"""Two simple opponents: heights alone, and a logistic regression on a thumbnail of the crop.

Both are chosen on phantoms held out from the test and never on patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from spinexplain.analysis.stored_frame import EXTENT_MM
from spinexplain.io.files import atomic_file
from spinexplain.reproduce.cohorts import drawn_sheets
from spinexplain.reproduce.setting import Setting
from spinexplain.reproduce.transfer.prepared import Prepared, read_prepared

THUMBNAIL = 14
WINDOW_HU = (-500.0, 1300.0)
TRAINING_SHEETS = (("balanced", 1, 3000),)
CHOOSING_SHEETS = (("verse-like", 990, 500), ("hard", 990, 200))
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
FIXED_LOSS = 0.25


def best_threshold(scores: np.ndarray, fractured: np.ndarray) -> float:
    """Return the threshold with the largest sum of sensitivity and specificity.

    Halfway between two neighboring scores; the lowest one where several are as good.
    """
    order = np.argsort(scores, kind="stable")
    ranked, truth = scores[order], fractured[order]
    kept = np.concatenate([[0], np.cumsum(~truth)]) / max((~truth).sum(), 1)
    found = 1 - np.concatenate([[0], np.cumsum(truth)]) / max(truth.sum(), 1)
    usable = np.concatenate([[True], np.diff(ranked) > 0, [True]])
    at = int(np.argmax(np.where(usable, kept + found, -1)))
    edges = np.concatenate([[ranked[0] - 1], (ranked[1:] + ranked[:-1]) / 2, [ranked[-1] + 1]])
    return float(edges[at])


def heights_threshold(paths: Sequence[Path]) -> float:
    """Choose the loss from which heights call a vertebra fractured, on training-like phantoms."""
    losses, fractured = [], []
    for path in paths:
        for one in read_prepared(path)[1]:
            truth = one.facts["truth"]
            if "height_loss" not in one.facts or truth["foreign_material"] or truth["grade"] == 1:
                continue
            losses.append(one.facts["height_loss"])
            fractured.append(truth["grade"] >= 2)
    return best_threshold(np.array(losses), np.array(fractured))


def thumbnails(crops_hu: np.ndarray) -> np.ndarray:
    """Window crops (N, 112, 112) and average them to 14 x 14, as rows of features."""
    low, high = WINDOW_HU
    windowed = np.clip((crops_hu.astype(np.float32) - low) / (high - low), 0, 1)
    block = EXTENT_MM // THUMBNAIL
    small = windowed.reshape(len(crops_hu), THUMBNAIL, block, THUMBNAIL, block).mean(axis=(2, 4))
    return small.reshape(len(crops_hu), -1)


@dataclass(frozen=True, eq=False)
class PixelRegression:
    """Logistic regression of "G2 or G3" on thumbnails, with its threshold."""

    weights: np.ndarray
    bias: float
    threshold: float
    strength: float
    sheets: int

    def scores(self, vertebrae: Sequence[Prepared]) -> np.ndarray:
        """Return log odds."""
        if not vertebrae:
            return np.zeros(0)
        return thumbnails(np.stack([one.crop for one in vertebrae])) @ self.weights + self.bias


def fitted_pixels(setting: Setting, kept: Path) -> PixelRegression:
    """Fit, or take up what was fitted before."""
    if kept.exists():
        with np.load(kept, allow_pickle=False) as stored:
            named = {name: stored[name] for name in stored.files}
        single = {k: named[k].item() for k in ("bias", "threshold", "strength", "sheets")}
        return PixelRegression(weights=named["weights"], **single)
    model = fit_pixels(setting)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(kept) as temporary, open(temporary, "wb") as stream:
        np.savez(stream, **vars(model))
    return model


def fit_pixels(setting: Setting) -> PixelRegression:
    """Fit on drawn training sheets; strength and threshold chosen on held-out presets."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import StandardScaler

    x, y = _sheets(setting, TRAINING_SHEETS)
    x_choose, y_choose = _sheets(setting, CHOOSING_SHEETS)
    scaler = StandardScaler().fit(x)
    best: tuple[float, float, LogisticRegression] | None = None
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=300)
        model.fit(scaler.transform(x), y)
        auc = float(roc_auc_score(y_choose, model.decision_function(scaler.transform(x_choose))))
        if best is None or auc > best[0]:
            best = (auc, strength, model)
    assert best is not None
    _, strength, model = best
    threshold = best_threshold(model.decision_function(scaler.transform(x_choose)), y_choose)
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - weights @ scaler.mean_)
    return PixelRegression(weights, bias, threshold, strength, len(y))


def _sheets(
    setting: Setting, wanted: Sequence[tuple[str, int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Read thumbnails and "G2 or G3" of drawn sheets; G1 is left out, as in training."""
    features, fractured = [], []
    for preset, seed, count in wanted:
        cohort = drawn_sheets(setting, preset, seed, count)
        grades = cohort.index["grade"].to_numpy(str)
        rows = np.flatnonzero(pd.Series(grades).isin(["G0", "G2", "G3"]).to_numpy())
        for part in np.array_split(rows, max(len(rows) // 500, 1)):
            side = (144 - EXTENT_MM) // 2
            crops = cohort.patches_2d[part][:, side:-side, side:-side]
            features.append(thumbnails(crops))
        fractured.append(np.isin(grades[rows], ["G2", "G3"]))
    return np.concatenate(features), np.concatenate(fractured)
