"""From stored predictions to the table of trials, as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from spinexplain.config.training import TrainConfig
from spinexplain.evaluate.detection import FIGURES, detection_figures
from spinexplain.io.files import atomic_file

HEIGHTS = "height loss alone"
_LOWEST_LOSS = {"G1": 0.20, "G2": 0.25, "G3": 0.40}
_TITLES = {
    "f1": "F1 (%)",
    "f1_fracture": "F1 of fractures (%)",
    "accuracy": "Acc. (%)",
    "auc": "AUC (%)",
    "ap": "AP (%)",
}


@dataclass(frozen=True)
class Crossing:
    """The figures of one training set on one test set.

    Parameters
    ----------
    train, test : str
    vertebrae, fractures : int
        Of the test set.
    runs : tuple of dict
        Figures of every seed.
    """

    train: str
    test: str
    vertebrae: int
    fractures: int
    runs: tuple[dict[str, float], ...]

    def mean(self, figure: str) -> float:
        """Return the mean over the runs."""
        return float(np.mean([run[figure] for run in self.runs]))

    def deviation(self, figure: str) -> float:
        """Return the standard deviation over the runs, n - 1; NaN for one run."""
        values = [run[figure] for run in self.runs]
        return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


@dataclass(frozen=True)
class TrialsResult:
    """All crossings, the heights' among them.

    Parameters
    ----------
    crossings : tuple of Crossing
    training : dict of str to dict of str to int
        ``vertebrae`` and ``fractures`` of every training set, validation included.
    """

    crossings: tuple[Crossing, ...]
    training: dict[str, dict[str, int]] = field(default_factory=dict)


def collect(
    predictions: Path, config: TrainConfig, train: Sequence[str], test: Sequence[str]
) -> TrialsResult:
    """Compute every crossing's figures from the stored predictions.

    Parameters
    ----------
    predictions : Path
        Folder of the parquet files.
    config : TrainConfig
    train, test : sequence of str
        Names of the sets.
    """
    crossings = []
    for other in test:
        heights = _crossing(predictions, "heights", HEIGHTS, other, height_threshold(config))
        rows = [_crossing(predictions, f"{name}--seed*", name, other, 0.5) for name in train]
        crossings += [row for row in (*rows, heights) if row.runs]
    return TrialsResult(tuple(crossings))


def height_threshold(config: TrainConfig) -> float:
    """Return the height loss at which Genant's lowest grade of the fractures begins.

    Examples
    --------
    >>> grades = {"no fracture": ["G0"], "fracture": ["G2", "G3"]}
    >>> height_threshold(TrainConfig(classes=tuple(grades), grades=grades))
    0.25
    """
    return min(_LOWEST_LOSS.get(grade, 0.20) for grade in config.task.fracture_grades)


def _crossing(folder: Path, key: str, train: str, test: str, threshold: float) -> Crossing:
    import pandas as pd

    runs, sizes = [], (0, 0)
    for path in sorted(folder.glob(f"{key}--{test}.parquet")):
        table = pd.read_parquet(path)
        scores, labels = table["score"].to_numpy(float), table["label"].to_numpy(int)
        known = np.isfinite(scores)
        if known.any():
            runs.append(detection_figures(labels[known], scores[known], threshold))
            sizes = int(known.sum()), int(labels[known].sum())
    return Crossing(train, test, *sizes, tuple(runs))


def write_result(result: TrialsResult, out: Path) -> None:
    """Write ``result.json`` and ``table.md``."""
    rows = [
        asdict(crossing)
        | {"mean": {f: crossing.mean(f) for f in FIGURES}}
        | {"standard_deviation": {f: crossing.deviation(f) for f in FIGURES}}
        for crossing in result.crossings
    ]
    content = {
        "schema": "spinexplain/trials/1",
        "training": result.training,
        "crossings": rows,
    }
    text = json.dumps(_without_nan(content), indent=1, allow_nan=False) + "\n"
    for name, written in (("result.json", text), ("table.md", markdown(result))):
        with atomic_file(out / name) as temporary:
            temporary.write_text(written, "utf-8")


def markdown(result: TrialsResult) -> str:
    """Return the table: a row a crossing, mean and standard deviation in percent."""
    head = ["Training", "Testing", "vertebrae (fractured)", "runs", *_TITLES.values()]
    lines = [head, ["---"] * len(head)]
    for row in result.crossings:
        cells = [_percent(row.mean(figure), row.deviation(figure)) for figure in _TITLES]
        sizes = f"{row.vertebrae} ({row.fractures})"
        lines.append([row.train, row.test, sizes, str(len(row.runs)), *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _percent(mean: float, deviation: float) -> str:
    if not np.isfinite(mean):
        return "–"
    spread = f" ± {100 * deviation:.1f}" if np.isfinite(deviation) else ""
    return f"{100 * mean:.1f}{spread}"


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
