"""Figures of the real CTs: level by level as they are, and with simulated fractures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from spinexplain.reproduce.real_scans import WHOLE
from spinexplain.reproduce.transfer.real import LOSSES, NOTES
from spinexplain.reproduce.transfer.tally import FRACTURED, clustered_share

Row = Mapping[str, Any]


def as_is(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One row a whole level of the real CTs without a fracture."""
    at = {(row["source"], row["level"]): row for row in rows if not row["fractures"]}
    return [
        {
            "source": source,
            "level": level,
            "called": at[source, level]["called"],
            "scores": at[source, level]["scores"],
            "reason": at[source, level]["reason"],
            "note": NOTES.get((source, level), ""),
        }
        for source, levels in WHOLE.items()
        for level in levels
    ]


def table_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Lay out every level of every simulated scan; ``planted`` marks the fractured ones."""
    kept = {
        (row["source"], row["level"]): row["called"] == "G0" for row in rows if not row["fractures"]
    }
    flat = []
    for row in rows:
        planted = {level: (shape, loss, seed) for level, shape, loss, seed in row["fractures"]}
        if not planted:
            continue
        shape, loss, seed = planted.get(row["level"], next(iter(planted.values())))
        flat.append(
            {
                **{k: row[k] for k in ("source", "level", "called", "reason", "file", "at")},
                "scan": row["file"],
                "count": len(planted),
                "planted": row["level"] in planted,
                "shape": shape,
                "loss": loss,
                "seed": seed,
                "grade": LOSSES[loss],
                "site": f"{row['source']} {next(iter(planted))}",
                "score": np.nan if row["scores"] is None else 1 - row["scores"][0],
                "was_kept": kept.get((row["source"], row["level"]), False),
            }
        )
    table = pd.DataFrame(flat)
    table["assessed"] = table["called"].notna()
    table["fractured"] = table["called"].isin(FRACTURED)
    return table


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything said about simulated fractures."""
    table = table_of(rows)
    one, two = table[table["count"] == 1], table[table["count"] == 2]
    planted = one[one["planted"]]
    found = planted[planted["assessed"]]
    return {
        "scans": int(one["scan"].nunique()),
        "not_assessable": _refusals(planted),
        "found": {f"G{k}": _share(found[found["grade"] == k]) for k in (2, 3)},
        "same_grade": {
            f"G{k}": clustered_share(part["called"] == f"G{k}", part["site"])
            for k, part in found.groupby("grade")
        },
        "by_shape": _by(found, ["shape", "loss"]),
        "by_level": _by(found, ["source", "level", "grade"]),
        "missed": _listed(found[~found["fractured"]]),
        "neighbors_kept": _neighbors(one),
        "scans_found": _scans(one),
        "adjacent": _adjacent(two),
    }


def _share(part: pd.DataFrame) -> dict[str, Any]:
    return clustered_share(part["fractured"], part["site"])


def _refusals(planted: pd.DataFrame) -> list[dict[str, Any]]:
    refused = planted[~planted["assessed"]]
    return [
        {"source": source, "level": level, "n": len(part), "reason": part["reason"].iloc[0]}
        for (source, level), part in refused.groupby(["source", "level"])
    ]


def _by(found: pd.DataFrame, keys: list[str]) -> list[dict[str, Any]]:
    rows = []
    for values, part in found.groupby(keys):
        named = {
            k: v.item() if hasattr(v, "item") else v for k, v in zip(keys, values, strict=True)
        }
        rows.append({**named, "hits": int(part["fractured"].sum()), "n": len(part)})
    return rows


def _listed(part: pd.DataFrame) -> list[dict[str, Any]]:
    columns = ["source", "level", "shape", "loss", "seed", "score"]
    ordered = part.sort_values("score")[columns].to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in ordered]


def _neighbors(one: pd.DataFrame) -> dict[str, Any]:
    """Of levels that were called G0 before, the share that still is beside a fracture."""
    others = one[~one["planted"] & one["was_kept"] & one["assessed"]]
    changed = others[others["fractured"]]
    return {
        **clustered_share(~others["fractured"], others["site"]),
        "changed": [
            {"source": s, "level": lv, "beside": str(site).split()[-1], "n": len(part)}
            for (s, lv, site), part in changed.groupby(["source", "level", "site"])
        ],
    }


def _scans(one: pd.DataFrame) -> dict[str, Any]:
    """Scans with one simulated fracture in which the fractured level is called fractured."""
    planted = one[one["planted"]]
    return {
        f"G{k}": clustered_share(part["fractured"], part["site"])
        for k, part in planted[planted["source"] != "crop"].groupby("grade")
    }


def _adjacent(two: pd.DataFrame) -> dict[str, Any]:
    planted = two[two["planted"]]
    rows = []
    for loss in sorted(set(planted["loss"])):
        part = planted[planted["loss"] == loss]
        scans = part.groupby("scan")["fractured"].sum()
        rows.append({"loss": float(loss), "both": int((scans == 2).sum()), "scans": len(scans)})
    failed = planted[planted["assessed"] & ~planted["fractured"]]
    refused = planted[~planted["assessed"]]
    return {"rows": rows, "missed": _listed(failed), "refused": len(refused)}
