"""What a finished cross-validation shows: every entry, every pair, and the prototypes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.config.tasks import Task, derived_task
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.evaluate.comparison import compare_all, fold_figures
from spinexplain.evaluate.figures import HEADLINE, summarize, without_nan
from spinexplain.evaluate.predictions import check_same_data, class_names, read_predictions
from spinexplain.experiment.table import fold_cell
from spinexplain.io.json_file import write_json

if TYPE_CHECKING:
    import pandas as pd

PLAN_SCHEMA = "spinexplain/crossval/1"
SCHEMA = "spinexplain/crossval-results/1"
_STATES = ("before", "after")
_MEASURES = ("same_class_cosine", "same_class_centered", "winner_share")


def read_plan(out: str | Path) -> dict[str, Any]:
    """Read what a cross-validation was for.

    Raises
    ------
    FileFormatError
        If the folder holds none.
    """
    path = Path(out) / "crossval.json"
    try:
        plan = json.loads(path.read_text("utf-8"))
        found = plan["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{path}: cannot be read ({error}); expected a folder written by crossval."
        ) from None
    if found != PLAN_SCHEMA:
        raise FileFormatError(
            f"{path}: has the schema {found!r}; expected {PLAN_SCHEMA!r}. Run crossval again."
        )
    return dict(plan)


def crossval_results(
    out: str | Path, seed: int = 0, so_far: bool = False, against: str | None = None
) -> dict[str, Any]:
    """Judge a cross-validation and write ``results.json`` into its folder.

    Parameters
    ----------
    out : str or Path
    seed : int
        Of the bootstrap.
    so_far : bool
        Judge the folds that every entry has finished, and say how many they are, instead
        of refusing an experiment that still runs.
    against : str, optional
        Compare the other entries with this one alone, not every pair.

    Raises
    ------
    ConfigError
        If a run is missing (with ``so_far``: no fold is finished), or the predictions
        are of other data than the plan says.
    """
    out = Path(out)
    plan = read_plan(out)
    done = _finished(out, plan, so_far)
    tables = {entry["name"]: _pooled(out, entry["name"], done) for entry in plan["entries"]}
    if check_same_data(list(tables.values())) != plan["data_sha256"]:
        raise ConfigError(
            f"{out}: the predictions are of other data than crossval.json says; expected "
            f"{plan['data_sha256'][:12]}. Run crossval again in a new folder."
        )
    results = {
        **plan,
        "schema": SCHEMA,
        "folds": len(done),
        "folds_planned": plan["folds"],
        "held_out": len(next(iter(tables.values()))),
        "entries": [_judged(out, one, tables[one["name"]], done, seed) for one in plan["entries"]],
        "comparisons": compare_all(tables, seed, against),
    }
    results = without_nan(results)
    write_json(out / "results.json", results, only_finite=True)
    return results


def _judged(
    out: Path, entry: dict[str, Any], table: pd.DataFrame, done: list[int], seed: int
) -> dict[str, Any]:
    """Return an entry of the plan with its figures, fold by fold and pooled."""
    folds = fold_figures(table)
    return {
        **entry,
        "folds": folds,
        "mean": {key: float(np.mean(folds[key])) for key in HEADLINE},
        "sd": {key: _spread(folds[key]) for key in HEADLINE},
        "pooled": summarize(table, seed, task=_task(entry, table)),
        "prototypes": prototype_summary([_story(out, entry["name"], fold) for fold in done]),
        **_chosen(out, entry, done),
    }


def _task(entry: dict[str, Any], table: pd.DataFrame) -> Task:
    return derived_task(class_names(table), entry["config"].get("grades"))


def _spread(values: list[float]) -> float:
    """Return the standard deviation over folds, n - 1; NaN of a single one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _finished(out: Path, plan: dict[str, Any], so_far: bool) -> list[int]:
    """Return the folds that all entries have finished; refuse missing ones unless ``so_far``."""
    missing = {
        f"{entry['name']} fold {fold}": fold
        for entry in plan["entries"]
        for fold in range(plan["folds"])
        if not (out / "runs" / entry["name"] / f"fold-{fold}" / "fold.json").is_file()
    }
    done = [fold for fold in range(plan["folds"]) if fold not in missing.values()]
    if missing and not (so_far and done):
        raise ConfigError(
            f"{out}: {len(missing)} runs are missing (first {next(iter(missing))}); expected all "
            f"{len(plan['entries']) * plan['folds']}. Run the same crossval command again; it "
            "goes on where it stopped."
        )
    return done


def _pooled(out: Path, name: str, folds: list[int]) -> pd.DataFrame:
    """Put the held-out predictions of an entry's folds under one another."""
    import pandas as pd

    paths = [out / "runs" / name / f"fold-{fold}" / "predictions.parquet" for fold in folds]
    return pd.concat([read_predictions(path) for path in paths], ignore_index=True)


def _chosen(out: Path, entry: dict[str, Any], folds: list[int]) -> dict[str, Any]:
    """Return which candidate each fold chose on its validation subjects, if there were several."""
    if "candidates" not in entry:
        return {}
    paths = [out / "runs" / entry["name"] / f"fold-{fold}" / "fold.json" for fold in folds]
    return {"chosen": [int(json.loads(path.read_text("utf-8"))["chosen"]) for path in paths]}


def _story(out: Path, name: str, fold: int) -> dict[str, Any]:
    path = out / "runs" / name / f"fold-{fold}" / "prototypes.json"
    return dict(json.loads(path.read_text("utf-8")))


def prototype_summary(stories: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Average what became of the prototypes over the folds; None without prototypes.

    The contributions are weighted by the crops of each fold, so that they are those of all
    held-out crops; the cosine matrices are kept for the first fold alone.
    """
    if not stories or not all(stories):
        return None
    known = [state for state in _STATES if all(story[state] for story in stories)]
    counts = np.array([story["contributions"]["crops"] for story in stories], float)[..., 0]

    def pooled(kind: str) -> list[list[float]]:
        values = np.array([story["contributions"][kind] for story in stories], float)
        return (values * counts[..., None]).sum(axis=0) / counts.sum(axis=0)[:, None]

    contribution = {kind: np.asarray(pooled(kind)).tolist() for kind in ("true_class", "own_class")}
    return {
        **{
            state: {key: [story[state][key] for story in stories] for key in _MEASURES}
            for state in known
        },
        "distance_travelled": [float(np.mean(story["distance_travelled"])) for story in stories],
        "longest_distance": [float(np.max(story["distance_travelled"])) for story in stories],
        "duplicates": [int(story["duplicates"]) for story in stories],
        "contributions": contribution,
        "diagonal_is_largest": {
            kind: diagonal_is_largest(np.array(values)) for kind, values in contribution.items()
        },
        "prototype_class": stories[0]["prototype_class"],
        "first_fold": {
            state: {key: stories[0][state][key] for key in ("cosine", "centered_cosine")}
            for state in known
        },
    }


def diagonal_is_largest(matrix: np.ndarray) -> bool:
    """Return whether every diagonal entry is the largest of its row and of its column.

    Examples
    --------
    >>> diagonal_is_largest(np.array([[2.0, 1.0], [1.0, 0.5]]))
    False
    """
    diagonal = np.diag(matrix)
    rest = np.where(np.eye(len(matrix), dtype=bool), -np.inf, matrix)
    return bool(np.all(diagonal > rest.max(axis=1)) and np.all(diagonal > rest.max(axis=0)))


def results_markdown(results: dict[str, Any]) -> str:
    """Write the entries and the comparisons as two Markdown tables."""
    part = results["folds"] < results["folds_planned"]
    lines = [
        f"{results['vertebrae']} vertebrae of {results['subjects']} subjects, "
        f"{results['folds_planned']} folds by subject; mean ± SD over "
        + (f"the {_counted(results['folds'], 'fold')} finished so far." if part else "folds."),
        "",
        "| entry | steps | class-average accuracy | class-average F1 | sample accuracy |",
        "|---|---|---|---|---|",
    ]
    for entry in results["entries"]:
        cells = [fold_cell(entry, key) for key in HEADLINE]
        lines.append(f"| {entry['name']} | {entry['steps']} | {' | '.join(cells)} |")
    tuned = {len(entry.get("candidates", [0])) for entry in results["entries"]}
    if max(tuned) > 1:
        lines += ["", f"{candidate_words(results)}."]
    if trunk := results.get("trunk"):
        lines += ["", trunk]
    lines += [
        "",
        "Pooled held-out predictions, difference in class-average F1 (subject bootstrap, 95 %); "
        "tests over folds on the same figure.",
        "",
        "| first − second | difference | Wilcoxon two-sided, one-sided | corrected t | McNemar |",
        "|---|---|---|---|---|",
    ]
    lines += [_comparison_row(pair) for pair in results["comparisons"]]
    if results["comparisons"]:
        note = results["comparisons"][0]["tests"]["class_average_f1"][0]["note"]
        lines += ["", f"Wilcoxon: {note}."]
    return "\n".join(lines) + "\n"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def candidate_words(results: dict[str, Any]) -> str:
    """Say how many candidates every entry had, and which its folds chose."""
    listed = [
        f"{entry['name']} "
        + ", ".join(_settings_words(entry["candidates"][k]) for k in entry["chosen"])
        for entry in results["entries"]
    ]
    count = len(results["entries"][0]["candidates"])
    return (
        f"{count} candidates for each entry, chosen fold by fold on validation subjects: "
        + "; ".join(listed)
    )


def _settings_words(settings: dict[str, Any]) -> str:
    return " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in settings.items())


def _comparison_row(pair: dict[str, Any]) -> str:
    found = pair["differences"]["class_average_f1"]
    rank, t = pair["tests"]["class_average_f1"]
    interval = (
        f"{signed(found['value'])} ({signed(found['low'])} to {signed(found['high'])})"
        if found["low"] is not None
        else f"{signed(found['value'])} ({found['note']})"
    )
    cells = [
        f"{pair['first']} − {pair['second']}",
        interval,
        f"{p_value(rank['p_two_sided'])}, {p_value(rank['p_one_sided'])}",
        p_value(t["p_two_sided"]),
        p_value(pair["mcnemar"]["p_two_sided"]),
    ]
    return f"| {' | '.join(cells)} |"


def signed(share: float) -> str:
    """Write a difference in points of percent, with its sign.

    Examples
    --------
    >>> signed(-0.0123)
    '−1.2'
    """
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def p_value(p: float | None) -> str:
    """Write a p value; what was not computed says so.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.00001), p_value(None)
    ('0.031', '<0.001', 'not computed')
    """
    if p is None:
        return "not computed"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
