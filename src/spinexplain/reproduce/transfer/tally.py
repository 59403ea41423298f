"""From graded rows to figures: counts, shares with intervals over persons, per spine and kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.evaluate.bootstrap import subject_bootstrap, subject_draws

SEED, DRAWS = 0, 1000
FRACTURED = ("G2", "G3")
LOSS_EDGES = (0.20, 0.225, 0.25, 0.275, 0.30, 0.35, 0.40, 0.45, 0.55, 1.0)
REGIONS = {
    "T1-T3": ("T1", "T2", "T3"),
    "T4-T6": ("T4", "T5", "T6"),
    "T7-T9": ("T7", "T8", "T9"),
    "T10-T12": ("T10", "T11", "T12"),
    "L1-L4": ("L1", "L2", "L3", "L4"),
    "L5": ("L5",),
}
Rows = pd.DataFrame
Values = np.ndarray | pd.Series


def phantom_table(rows: Sequence[Mapping[str, Any]]) -> Rows:
    """Lay graded phantom rows out: one row a vertebra, foreign material left out."""
    flat = [
        {
            **{k: row[k] for k in ("group", "subject", "normal", "level", "called", "reason")},
            **{k: row["truth"][k] for k in ("grade", "shape", "loss", "look_alikes")},
            "score": np.nan if row["scores"] is None else 1 - row["scores"][0],
            "height_loss": row.get("height_loss", np.nan),
            "pixels": row.get("pixels", np.nan),
            "file": row["file"],
            "at": row["at"],
        }
        for row in rows
        if not row["truth"]["foreign_material"]
    ]
    table = pd.DataFrame(flat)
    table["assessed"] = table["called"].notna()
    table["fractured"] = table["called"].isin(FRACTURED)
    table["unplanted"] = (table["shape"] == "none") & (table["grade"] == 0)
    table["person"] = table["subject"].str.removeprefix("shifted-scanner-")
    table["spine"] = table["group"] + "/" + table["subject"]
    return table


def share(hit: Values, subjects: Values) -> dict[str, Any]:
    """Return hits, number, share and its 95 % interval over drawn subjects; None where empty."""
    if not len(hit):
        return {"hits": 0, "n": 0, "subjects": 0, "value": None, "low": None, "high": None}
    values, of = np.asarray(hit, bool).astype(float), np.asarray(subjects, str)
    interval = subject_bootstrap(lambda rows: float(values[rows].mean()), of, SEED, DRAWS)
    counts = {"hits": int(values.sum()), "n": len(values), "subjects": len(set(of.tolist()))}
    return {**counts, **asdict(interval)}


def clustered_share(hit: Values, clusters: Values) -> dict[str, Any]:
    """As :func:`share`, for as few clusters as there are: such an interval is too narrow."""
    values = np.asarray(hit, float)
    if not len(values):
        return {"hits": 0, "n": 0, "clusters": 0, "value": None, "low": None, "high": None}
    drawn = [values[rows].mean() for rows in subject_draws(np.asarray(clusters, str), SEED, DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "hits": int(values.sum()),
        "n": len(values),
        "clusters": len(set(map(str, clusters))),
        "value": float(values.mean()),
        "low": float(low),
        "high": float(high),
    }


def auc(normal: np.ndarray, fractured: np.ndarray) -> float | None:
    """Return the area under the curve; None without either sort."""
    from sklearn.metrics import roc_auc_score

    if not len(normal) or not len(fractured):
        return None
    truth = np.repeat([0, 1], [len(normal), len(fractured)])
    return float(roc_auc_score(truth, np.concatenate([normal, fractured])))


def rates(table: Rows, fractured: str = "fractured") -> dict[str, Any]:
    """Specificity and sensitivities of one caller, the column ``fractured``, on what it judged."""
    called, who = table[fractured].to_numpy(bool), table["subject"].to_numpy(str)
    grade, normal = table["grade"].to_numpy(int), table["unplanted"].to_numpy(bool)
    planted = (table["shape"] != "none").to_numpy(bool)
    clear = normal & (table["loss"].to_numpy(float) < 0.20)
    rows = {"specificity": normal, "specificity_clear": clear}
    kept = {name: share(~called[use], who[use]) for name, use in rows.items()}
    found = {
        f"G{k}": share(called[planted & (grade == k)], who[planted & (grade == k)])
        for k in (1, 2, 3)
    }
    return {**kept, **found}


def population(table: Rows) -> dict[str, Any]:
    """Everything said about one preset."""
    judged = table[table["assessed"]]
    right = {
        name: share(
            (judged["called"] == name)[(judged["grade"] == k) & (judged["shape"] != "none")],
            judged["subject"][(judged["grade"] == k) & (judged["shape"] != "none")],
        )
        for name, k in (("G2", 2), ("G3", 3))
    }
    return {
        "vertebrae": len(table),
        "spines": table["subject"].nunique(),
        "not_assessable": not_assessable(table),
        **rates(judged),
        "auc": aucs(judged, "score"),
        "same_grade": right,
        "normal_spines": normal_spines(judged),
        "fractured_spines": fractured_spines(judged),
        "by_loss": by_loss(judged),
        "by_region": by_region(judged),
        "by_shape": by_shape(judged),
        "by_look_alike": by_look_alike(judged),
    }


def without_share(reason: str) -> str:
    """Leave out how much exactly, so that reasons can be counted."""
    return re.sub(r"^\d+% |\(.*", "", reason).strip()


def not_assessable(table: Rows) -> dict[str, Any]:
    """Share refused, and why (shares in reasons are left out)."""
    reasons = Counter(without_share(reason) for reason in table["reason"][~table["assessed"]])
    refused = (~table["assessed"]).to_numpy(bool)
    return {"share": share(refused, table["subject"]), "reasons": dict(reasons.most_common())}


def aucs(table: Rows, score: str) -> dict[str, float | None]:
    """Return the areas under the curve of G2 and of G3 against unplanted vertebrae."""
    known = table[table[score].notna()]
    normal = known[score][known["unplanted"]].to_numpy(float)
    grade, planted = known["grade"], known["shape"] != "none"
    return {
        f"G{k}": auc(normal, known[score][(grade == k) & planted].to_numpy(float)) for k in (2, 3)
    }


def spines_with(table: Rows, hit: Values) -> dict[str, Any]:
    """Share of spines in which any row is a hit."""
    any_hit = pd.Series(np.asarray(hit, bool), index=table.index).groupby(table["spine"]).any()
    return share(any_hit.to_numpy(bool), any_hit.index.to_numpy(str))


def normal_spines(table: Rows, fractured: str = "fractured") -> dict[str, Any]:
    """Share of spines without any fracture in which one is called G2 or G3."""
    normal = table[table["normal"]]
    return spines_with(normal, normal[fractured].to_numpy(bool))


def fractured_spines(table: Rows) -> dict[str, Any]:
    """Share of spines with a G2 or G3 in which any of these is called G2 or G3."""
    broken = table[(table["grade"] >= 2) & (table["shape"] != "none")]
    return spines_with(broken, broken["fractured"].to_numpy(bool))


def by_loss(table: Rows) -> list[dict[str, Any]]:
    """Found share of planted fractures by true loss."""
    broken = table[table["shape"] != "none"]
    found = []
    for low, high in pairwise(LOSS_EDGES):
        part = broken[(broken["loss"] >= low) & (broken["loss"] < high)]
        found.append({"from": low, "to": high, **share(part["fractured"], part["subject"])})
    return found


def _split(table: Rows, parts: Mapping[str, Values]) -> list[dict[str, Any]]:
    """Specificity and sensitivity (G2, G3) of parts of a table."""
    return [{"name": name, **rates(table[keep])} for name, keep in parts.items()]


def by_region(table: Rows) -> list[dict[str, Any]]:
    """Return rates by region of the spine."""
    return _split(table, {name: table["level"].isin(lv) for name, lv in REGIONS.items()})


def by_shape(table: Rows) -> list[dict[str, Any]]:
    """Return rates by shape of the fracture."""
    names = ("wedge", "biconcave", "crush")
    return _split(table, {name: table["shape"] == name for name in names})


def by_look_alike(table: Rows) -> list[dict[str, Any]]:
    """Specificity by what the truth of a vertebra names as look-alike, and with none of them."""
    normal = table[table["unplanted"]]
    names = sorted({name for names in normal["look_alikes"] for name in names})
    parts = {n: normal["look_alikes"].map(lambda found, n=n: n in found) for n in names}
    parts["none"] = normal["look_alikes"].map(len) == 0
    return [
        {"name": n, **share(~normal["fractured"][keep], normal["subject"][keep])}
        for n, keep in parts.items()
    ]


def kinds(table: Rows) -> list[dict[str, Any]]:
    """One row per look-alike kind: normal spines with a false fracture, specificity."""
    judged = table[table["assessed"]]
    return [
        {
            "name": str(kind),
            "spines": spines_with(part, part["fractured"].to_numpy(bool)),
            "specificity": share(~part["fractured"], part["subject"]),
        }
        for kind, part in judged.groupby("group", sort=False)
    ]


def opponents(table: Rows) -> list[dict[str, Any]]:
    """The model beside its opponents on the very same vertebrae: assessed and measured."""
    same = table[table["assessed"] & table["height_loss"].notna()]
    columns = {
        "model": ("fractured", "score"),
        "heights, chosen threshold": ("by_heights", "height_loss"),
        "heights, 25 %": ("by_fixed_heights", "height_loss"),
        "pixels": ("by_pixels", "pixels"),
    }
    return [
        {
            "name": name,
            "vertebrae": len(same),
            **rates(same, called),
            "auc": aucs(same, score),
            "normal_spines": normal_spines(same, called),
        }
        for name, (called, score) in columns.items()
    ]


def lower_by(table: Rows, reference: Rows) -> list[dict[str, Any]]:
    """How much lower specificity and sensitivity are than in the reference, with intervals.

    Where both show the same persons, these are drawn together.
    """
    found = []
    for name, grades in (("specificity", (0,)), ("G2", (2,)), ("G3", (3,))):
        parts = [_right(part, grades) for part in (reference, table)]
        if all(len(part) for part in parts):
            found.append({"name": name, **_difference(parts[0], parts[1])})
    return found


def _right(table: Rows, grades: tuple[int, ...]) -> pd.Series:
    """Whether each vertebra of these grades was called rightly, indexed by its person."""
    judged = table[table["assessed"]]
    use = judged["grade"].isin(grades) & (judged["unplanted"] | (judged["shape"] != "none"))
    right = judged["fractured"] == (judged["grade"] > 0)
    return pd.Series(right[use].to_numpy(float), index=judged["person"][use])


def _difference(first: pd.Series, second: pd.Series) -> dict[str, Any]:
    """First - second, over drawn persons; persons that only one has count there alone."""
    both = pd.concat([first, second])
    is_first = np.repeat([True, False], [len(first), len(second)])
    values = both.to_numpy(float)

    def gap(rows: np.ndarray) -> float:
        a, b = values[rows[is_first[rows]]], values[rows[~is_first[rows]]]
        return float(a.mean() - b.mean()) if len(a) and len(b) else float("nan")

    return asdict(subject_bootstrap(gap, both.index.to_numpy(str), SEED, DRAWS))
