"""The transfer page on real CT: as it is, and with simulated fractures."""

from __future__ import annotations

from collections.abc import Sequence

from writers.transfer.parts import Facts, figure, table

ABOUT = {
    "lumbar": "abdominal CT, 3 mm, mask T12-L5 (TotalSegmentator's example)",
    "thoracic": "contrast chest CT, 1.5 mm, centroids T3-T12 (TotalSegmentator's tests)",
    "crop": "crop around L3, 1.5 mm, mask (TPTBox's sample)",
}


def real_ct(real: Facts) -> str:
    rows = [
        [
            row["source"],
            row["level"],
            row["called"] or "not assessable",
            "–" if row["scores"] is None else f"{1 - row['scores'][0]:.2f}",
            "; ".join(said for said in (row["reason"], row["note"]) if said),
        ]
        for row in real["as_is"]
    ]
    graded = [row for row in real["as_is"] if row["called"]]
    kept = sum(row["called"] == "G0" for row in graded)
    scans = "; ".join(f"*{name}*: {what}" for name, what in ABOUT.items())
    text = (
        f"No fracture is known in any of these. Of {len(rows)} whole levels {len(graded)} are assessable, "
        f"{kept} of them are called G0. {scans}.\n"
    )
    head = ["scan", "level", "grade", "score of a fracture", ""]
    return "\n".join(["## Real CT as it is\n", text, table(head, rows)])


def simulated_fractures(real: Facts, pictures: Sequence[str], seeds: int = 2) -> str:
    found = real["simulated"]
    lines = [
        "## Simulated fractures in real CT\n",
        "Real bone, bent by the phantom's fracture model: every assessable level with a mask, four shapes, "
        f"four losses, {'one seed' if seeds == 1 else 'two seeds'}. Texture and edges are the patient's own; callus, edema and hemorrhage are "
        "missing. Intervals are over levels, of which there are few: they are too narrow. A level that is "
        "called fractured as it is has every fracture found for nothing, and is left out of the second row.\n",
        _found_by_grade(real),
        *_refused_and_kept(found),
        *_adjacent(found["adjacent"]),
        f"- missed single fractures: {_missed(found['missed'])}\n",
        *_by_shape_and_level(found),
    ]
    if "simulated-missed.png" in pictures:
        lines += ["![Missed simulated fractures](images/transfer/simulated-missed.png)\n"]
    return "\n".join(lines)


def _found_by_grade(real: Facts) -> str:
    found = real["simulated"]
    rows = {
        "simulated fractures called fractured": [figure(found["found"][k]) for k in ("G2", "G3")],
        "the same in levels called G0 as they are": [normal_before(real, k) for k in (2, 3)],
        "given that very grade": [figure(found["same_grade"][k]) for k in ("G2", "G3")],
        "scans noticed (refused counts as missed)": [
            figure(f) for f in found["scans_found"].values()
        ],
    }
    head = ["", "G2 (loss 30, 35 %)", "G3 (loss 48, 55 %)"]
    return table(head, [[name, *figures] for name, figures in rows.items()])


def _refused_and_kept(found: Facts) -> list[str]:
    refused = "; ".join(
        f"{row['source']} {row['level']} ({row['n']}): {row['reason']}"
        for row in found["not_assessable"]
    )
    kept = found["neighbors_kept"]
    changed = ", ".join(
        f"{row['source']} {row['level']} beside {row['beside']} ({row['n']})"
        for row in kept["changed"]
    )
    return [
        f"- not assessable: {refused or 'none'}",
        f"- other levels, G0 before, still G0 beside a simulated fracture: {figure(kept)}"
        + (f"; not: {changed}" if changed else ""),
    ]


def _adjacent(found: Facts) -> list[str]:
    return [
        *(
            f"- two adjacent crushes of {row['loss']:.0%}: both found in {row['both']} of {row['scans']} scans"
            for row in found["rows"]
        ),
        f"- missed of these: {_missed(found['missed'])}; refused: {found['refused']}",
    ]


def normal_before(real: Facts, grade: int) -> str:
    """Write how many fractures of a grade are found in levels called G0 before any is planted."""
    normal = {(row["source"], row["level"]) for row in real["as_is"] if row["called"] == "G0"}
    rows = [
        row
        for row in real["simulated"]["by_level"]
        if row["grade"] == grade and (row["source"], row["level"]) in normal
    ]
    hits, n = (sum(row[key] for row in rows) for key in ("hits", "n"))
    return f"{100 * hits / n:.1f} % ({hits}/{n})" if n else "–"


def _missed(rows: Sequence[Facts]) -> str:
    said = [f"{r['source']} {r['level']} {r['shape']} {r['loss']:.0%}" for r in rows]
    return ", ".join(said) or "none"


def _by_shape_and_level(found: Facts) -> list[str]:
    losses = sorted({row["loss"] for row in found["by_shape"]})
    shapes = list(dict.fromkeys(row["shape"] for row in found["by_shape"]))
    at = {(r["shape"], r["loss"]): f"{r['hits']}/{r['n']}" for r in found["by_shape"]}
    first = table(
        ["called fractured", *(f"loss {loss:.0%}" for loss in losses)],
        [[shape, *(at.get((shape, loss), "–") for loss in losses)] for shape in shapes],
    )
    levels = list(dict.fromkeys((r["source"], r["level"]) for r in found["by_level"]))
    by = {(r["source"], r["level"], r["grade"]): f"{r['hits']}/{r['n']}" for r in found["by_level"]}
    second = table(
        ["called fractured", "G2", "G3"],
        [[f"{s} {lv}", *(by.get((s, lv, k), "–") for k in (2, 3))] for s, lv in levels],
    )
    return [first, second]
