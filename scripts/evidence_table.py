"""The tables of docs/decisions/grounded-prototypes.md, from what evidence_bars.py stored.

    python scripts/evidence_table.py

Run after ``scripts/evidence_bars.py docs/results/evidence-bars.json ...``, with the seeds of new
persons into the other files of ``STORES`` (the controls are those of ``train_shipped.py
--controls``), after ``scripts/evidence_real.py`` into those of ``REAL`` and after
``scripts/evidence_twins.py`` into that of ``TWINS``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STORES = {
    "bars": "evidence-bars.json",
    "new-persons": "evidence-bars-new-persons.json",
    "version-3": "evidence-bars-version-3.json",
    "version-4": "evidence-bars-version-4.json",
    "controls": "evidence-bars-controls.json",
    "supervised": "evidence-bars-supervised.json",
}
REAL = {
    "real": "evidence-real.json",
    "real-thoracic": "evidence-real-thoracic.json",
    "real-controls": "evidence-real-controls.json",
    "real-thoracic-controls": "evidence-real-thoracic-controls.json",
}
TWINS, TWINS_OF, FORMER = "evidence-twins.json", "version 4", "version 2"
CRANIAL = tuple(f"T{k}" for k in range(1, 9))
RESULTS = ROOT / "docs" / "results"
DOCUMENT = ROOT / "docs" / "decisions" / "grounded-prototypes.md"
PRESETS = ("placement", "balanced", "hard")
OPPONENTS = (
    *("version 2", "version 3", "without parts", "plain classifier, same budget"),
    "supervised classifier",
)


def interval(figure: list[float]) -> str:
    """Write a figure with its interval.

    Examples
    --------
    >>> interval([0.5, 0.4, 0.6])
    '0.50 (0.40 to 0.60)'
    """
    value, low, high = (x + 0.0 for x in figure)
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def signed(figure: list[float]) -> str:
    """Write a difference with its interval."""
    value, low, high = (x + 0.0 for x in figure)
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Return (what, bar, how to write it from one model's figures)."""
    rows: list[tuple[str, str, Any]] = [
        ("endplate, `placement`", "≥ 0.80", _placed("endplate")),
        ("third, `placement`", "≥ 0.85", _placed("third")),
    ]
    for preset, prior in (("balanced", "scaled"), ("hard", "scaled"), ("placement", "frame")):
        words = "of the body's size" if prior == "scaled" else "in the true frame"
        rows.append((f"sum map minus prior {words}, `{preset}`", "> 0", _minus(preset, prior)))
    for preset in PRESETS:
        rows += [
            (
                f"top 2 % in the body; or the height it lost, `{preset}`",
                "≥ 0.50 in the body",
                _in_body(preset),
            ),
            (f"weaker on the twin; AUC, `{preset}`", "≥ 0.95; 0.98", _twin(preset)),
            (f"largest winner share, G2, G3, `{preset}`", "≤ 0.60", _winner(preset)),
            (f"parts shown, G2, G3, `{preset}`", "≥ 3", _parts(preset)),
            (
                f"second, third prototype give a quarter of the first, `{preset}`",
                "most",
                _further(preset),
            ),
            (f"class-average F1, `{preset}`", "", _f1(preset)),
            *_differences(found, preset),
        ]
    rows.append(("largest centered cosine G0, G2, G3", "≤ 0.60", _cosine("centered")))
    if any("around_body_cells" in one.get("cosine", {}) for one in found.values()):
        rows += [
            ("the same around the mean of cells in bodies", "≤ 0.60", _cosine("around_body_cells")),
            ("the same around the mean of all cells", "", _cosine("around_all_cells")),
        ]
    return rows


def _differences(found: dict[str, Any], preset: str) -> list[tuple[str, str, Any]]:
    """Return rows of paired differences of F1 where they were measured, one a compared model."""
    others = [name for name in found if name in OPPONENTS]
    return [
        (f"F1 minus that of {name}, `{preset}`", "≥ -0.02", _f1_minus(preset, name))
        for name in others
        if any("f1_minus" in one.get(preset, {}) for one in found.values())
    ]


def _f1_minus(preset: str, other: str) -> Any:
    return lambda one: signed(one[preset]["f1_minus"][other])


def _placed(question: str) -> Any:
    return lambda one: interval(one["placement"]["placement"][question]["sum (top)"])


def _minus(preset: str, prior: str) -> Any:
    return lambda one: signed(one[preset]["evidence"]["sum"]["minus"][prior])


def _in_body(preset: str) -> Any:
    def written(one: dict[str, Any]) -> str:
        found = one[preset]["evidence"]["sum"]
        return f"{found['in_body'][0]:.2f}; {interval(found['in_body_or_lost_height'])}"

    return written


def _twin(preset: str) -> Any:
    return lambda one: f"{one[preset]['twin']['falls']:.3f}; {one[preset]['twin']['auc']:.3f}"


def _winner(preset: str) -> Any:
    def written(one: dict[str, Any]) -> str:
        shares = one[preset]["winner_share"]
        healthy = len(shares) - 8 if len(shares) == 11 else len(shares) // 3
        per = (len(shares) - healthy) // 2
        largest = (max(shares[healthy : healthy + per]), max(shares[healthy + per :]))
        return ", ".join(f"{share:.2f}" for share in largest)

    return written


def _parts(preset: str) -> Any:
    return lambda one: ", ".join(
        str(one[preset]["distinct_parts"]["by_class"][name]) for name in ("G2", "G3")
    )


def _further(preset: str) -> Any:
    return lambda one: ", ".join(
        f"{share:.2f}" for share in one[preset]["further_prototypes"].values()
    )


def _f1(preset: str) -> Any:
    return lambda one: interval(one[preset]["f1"])


def _cosine(center: str) -> Any:
    return lambda one: ", ".join(
        f"{value:.2f}" for value in one["cosine"][center]["largest"].values()
    )


def table(found: dict[str, Any]) -> str:
    """Lay the figures out: a row a question, a column a model."""
    names = list(found)
    lines = [
        f"| on held-out phantoms | bar | {' | '.join(names)} |",
        "|---" * (2 + len(names)) + "|",
    ]
    for what, bar, write in rows_of(found):
        cells = [_written(write, found[name]) for name in names]
        if set(cells) == {"–"}:  # asked of none of them
            continue
        lines.append(f"| {what} | {bar} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _written(write: Any, one: dict[str, Any]) -> str:
    try:
        return str(write(one))
    except KeyError:  # a plain classifier has its F1 alone
        return "–"


def real_table(found: dict[str, Any]) -> str:
    """Lay out what models said of fractures simulated in a real CT: a column a model."""
    names = list(next(iter(found.values())))
    lines = [f"| on a real CT | {' | '.join(found)} |", "|---" * (1 + len(found)) + "|"]
    for name in names:
        head = f"right endplate, {name}" if name in ("superior", "inferior") else name
        lines.append(_row(head, [_counted(figures[name]) for figures in found.values()]))
    return "\n".join(lines)


def _row(head: str, cells: list[str]) -> str:
    return f"| {head} | {' | '.join(cells)} |"


def _counted(figure: Any) -> str:
    """Write a count of so many, a mean, or the names of bodies."""
    if isinstance(figure, float):
        return f"{figure:+.2f}"
    if all(isinstance(one, str) for one in figure):
        return ", ".join(figure) or "none"
    return "{}/{}".format(*figure)


def twin_words(found: dict[str, Any]) -> str:
    """Say of what kinds the fractures are whose similarity is no weaker on the healthy twin."""
    fractures, pairs = found["fractures"], found["pairs"][TWINS_OF]
    still = unfallen(pairs)
    kinds: list[tuple[str, Callable[[dict[str, Any]], bool]]] = [
        ("moderate", lambda one: one["grade"] == "G2"),
        ("severe", lambda one: one["grade"] == "G3"),
        ("biconcave", lambda one: one["shape"] == "biconcave"),
        ("wedge", lambda one: one["shape"] == "wedge"),
        ("crush", lambda one: one["shape"] == "crush"),
        ("T1 to T8", lambda one: one["level"] in CRANIAL),
        ("T9 to L5", lambda one: one["level"] not in CRANIAL),
        ("with a pit in an endplate", lambda one: "endplate_pit" in one["look_alikes"]),
        ("without one", lambda one: "endplate_pit" not in one["look_alikes"]),
        ("beside another fracture", lambda one: one["fractured_beside"]),
    ]
    counts = [
        f"{name} {sum(of(fractures[k]) for k in still)} of {sum(map(of, fractures))}"
        for name, of in kinds
    ]
    graded = sum(pairs[k]["called"] != "G0" and pairs[k]["called_twin"] == "G0" for k in still)
    missed = sum(pairs[k]["called"] == "G0" for k in still)
    alarms = sum(pairs[k]["called_twin"] != "G0" for k in still)
    before = unfallen(found["pairs"][FORMER])
    return (
        f"Which fractures these are: of {len(fractures)} in `{found['preset']}`, {len(still)} have "
        f"a healthy twin on which the similarity of their class is no weaker: "
        f"{', '.join(counts)}. In {graded} of the {len(still)} the grade falls nevertheless, "
        f"the fracture graded G2 or G3 and its twin G0; {missed} of the fractures are graded G0, "
        f"{alarms} of the twins G2 or G3. With {FORMER} {len(before)} pairs do not "
        f"fall, {len(set(still) & set(before))} of them the same."
    )


def unfallen(pairs: Sequence[dict[str, Any]]) -> list[int]:
    """Return the pairs whose twin is no weaker.

    Examples
    --------
    >>> unfallen([{"strength": 2.0, "twin": 1.0}, {"strength": 1.0, "twin": 1.5}])
    [1]
    """
    return [k for k, one in enumerate(pairs) if one["strength"] <= one["twin"]]


def written(document: str, name: str, text: str) -> str:
    """Return the document with a text between its markers."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, rest = document.split(begin)
    return f"{head}{begin}\n{text}\n{end}{rest.split(end)[1]}"


def stored(name: str) -> dict[str, Any]:
    """Read one file of results."""
    found: dict[str, Any] = json.loads((RESULTS / name).read_text("utf-8"))
    return found


def main() -> None:
    document = DOCUMENT.read_text("utf-8")
    for name, store in STORES.items():
        document = written(document, name, table(stored(store)))
    for name, store in REAL.items():
        document = written(document, name, real_table(stored(store)))
    document = written(document, "twins", twin_words(stored(TWINS)))
    DOCUMENT.write_text(document, "utf-8")


if __name__ == "__main__":
    main()
