"""Two models on the same vertebrae: differences with intervals, and tests."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.errors import ConfigError
from spinexplain.evaluate.bootstrap import DRAWS, Figure, paired_difference
from spinexplain.evaluate.figures import HEADLINE, headline, used_rows, without_nan
from spinexplain.evaluate.predictions import check_same_data, class_names, judged
from spinexplain.evaluate.significance import corrected_t_test, mcnemar, wilcoxon

if TYPE_CHECKING:
    import pandas as pd

_KEY = ["subject", "series", "level", "grade", "fold"]


def fold_figures(table: pd.DataFrame) -> dict[str, list[float]]:
    """Return the headline figures of every fold, in the order of the folds."""
    names = class_names(table)
    used = used_rows(table)
    labels, scores = judged(table)
    predicted, fold = scores.argmax(axis=1), used["fold"].to_numpy(int)
    rows = [headline(labels[fold == k], predicted[fold == k], len(names)) for k in np.unique(fold)]
    return {name: [row[name] for row in rows] for name in HEADLINE}


def compare(
    first: pd.DataFrame, second: pd.DataFrame, seed: int = 0, draws: int = DRAWS
) -> dict[str, Any]:
    """Compare two models on the vertebrae they both graded.

    Parameters
    ----------
    first, second : DataFrame
        Predictions on the same data; with folds where there was a cross-validation.
    seed : int
        Of the bootstrap.
    draws : int

    Returns
    -------
    dict
        ``"differences"``: first - second with subject-bootstrap intervals, on pooled
        predictions; ``"tests"``: by figure, over folds; ``"mcnemar"``; JSON-ready.

    Raises
    ------
    ConfigError
        If the data differ, or they did not grade the same vertebrae.
    """
    check_same_data([first, second])
    names = class_names(first)
    one, two = used_rows(first), used_rows(second)
    if not one[_KEY].astype(str).equals(two[_KEY].astype(str)):
        raise ConfigError(
            f"{one['model'].iloc[0]} graded {len(one)} vertebrae and {two['model'].iloc[0]} "
            f"{len(two)}, not the same ones in the same order; expected pairs. Run both again on "
            "the same folds."
        )
    labels, scores = judged(first)
    calls = scores.argmax(axis=1), judged(second)[1].argmax(axis=1)
    subjects = one["subject"].to_numpy(str)

    def figure(name: str, called: np.ndarray) -> Figure:
        return lambda rows: headline(labels[rows], called[rows], len(names))[name]

    result: dict[str, Any] = {
        "first": str(one["model"].iloc[0]),
        "second": str(two["model"].iloc[0]),
        "vertebrae": len(one),
        "subjects": len(set(subjects.tolist())),
        "differences": {
            name: asdict(
                paired_difference(
                    figure(name, calls[0]), figure(name, calls[1]), subjects, seed, draws
                )
            )
            for name in HEADLINE
        },
        "mcnemar": asdict(mcnemar(calls[0] == labels, calls[1] == labels)),
        "tests": _over_folds(first, second),
    }
    return without_nan(result)


def _over_folds(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, Any]:
    one, two = fold_figures(first), fold_figures(second)
    return {
        name: [
            asdict(test(np.array(one[name]), np.array(two[name])))
            for test in (wilcoxon, corrected_t_test)
        ]
        for name in HEADLINE
    }


def compare_all(
    tables: dict[str, pd.DataFrame], seed: int = 0, against: str | None = None
) -> list[dict[str, Any]]:
    """Compare every pair of models, later ones against earlier ones.

    With ``against`` only every other model against that one: what is varied one at a time
    is compared with what it was varied from.
    """
    if against is None:
        pairs = list(combinations(tables, 2))
    else:
        pairs = [(against, name) for name in tables if name != against]
    return [compare(tables[b], tables[a], seed) for a, b in pairs]
