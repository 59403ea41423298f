"""The tables and plots of docs/explanations.md: what the shipped models' heat maps are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spinexplain.report.explanations_page import (
    QUESTIONS,
    gain,
    placement_png,
    skill_png,
    sorted_rows,
)
from writers.markers import replaced
from writers.stored import stored

STORES = (
    *("explanations-4.json", "explanations.json", "explanations-3.json"),
    *("explanations-protopnet.json", "explanations-classifier.json"),
    *("explanations-supervised.json", "explanations-boxes.json"),
)
MASK = "explanations-mask.json"
NAMES = {
    "spinexplain.explainers.class_map:explain_class_map": "class map",
    "dissection": "dissected units",
}
"""Explainers that the page calls otherwise than the command."""

UNITS = "explanations-units.json"
STEPS = 16
CHANCE = {"endplate": "1/2", "third": "1/3", "side": "1/2"}


def written(page: str, results: Path) -> str:
    """Return the page with its tables between the markers."""
    lines: list[str] = []
    seen: set[str] = set()
    for content in found_in(results):
        for name, facts in content["benches"].items():
            rows = sorted_rows([row for row in content["rows"] if row["bench"] == name])
            lines += bench_lines(content, name, facts, rows)
            # The fractures of a bench are the same whatever the model is.
            lines += [] if name in seen else blind_lines(facts, mask_readings(results, facts))
            seen.add(name)
    return replaced(page, "scores", "\n".join(lines).rstrip())


def draw(results: Path, images: Path) -> list[Path]:
    """Draw placement and skill of every explainer with their intervals."""
    content = {"rows": [row for one in found_in(results) for row in one["rows"]]}
    paths = [images / f"explanations-{name}.png" for name in ("placement", "skill")]
    for path, drawing in zip(paths, (placement_png, skill_png), strict=True):
        drawing(content, path)
    return paths


def found_in(results: Path) -> list[dict[str, Any]]:
    """Read what was stored of sheets and, where it was measured, of boxes.

    Units of the default, which need a dissection, are scored by a command of their own.
    """
    found = [stored(results, name) for name in STORES if (results / name).is_file()]
    if found and (results / UNITS).is_file():
        found[0] = with_units(found[0], stored(results, UNITS))
    for content in found:
        for row in content["rows"]:
            row["explainer"] = NAMES.get(row["explainer"], row["explainer"])
    return found


def with_units(content: dict[str, Any], units: Mapping[str, Any]) -> dict[str, Any]:
    """Add the rows of dissected units to those of the same model on the same fractures.

    Examples
    --------
    >>> made = with_units({"rows": [{"model": "a"}]}, {"rows": [{"model": "a"}, {"model": "b"}]})
    >>> len(made["rows"])
    2
    """
    models = {row["model"] for row in content["rows"]}
    added = [row for row in units["rows"] if row["model"] in models]
    return content | {"rows": [*content["rows"], *added]}


def mask_readings(results: Path, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was read off the true masks of sheets, where it was measured."""
    measured = facts["axes"] == 2 and (results / MASK).is_file()
    return stored(results, MASK)["rows"] if measured else []


def bench_lines(
    content: Mapping[str, Any], name: str, facts: Mapping[str, Any], rows: Sequence[Any]
) -> list[str]:
    """Write of one model what was asked, which maps say something, and what its prototypes are."""
    grades = ", ".join(f"{grade} {count}" for grade, count in facts["grades"].items())
    lines = [
        f"### {rows[0]['model']}: {name}",
        "",
        f"{facts['vertebrae']} vertebrae of {facts['subjects']} persons ({grades}), preset "
        f"`{content['cohort']}`, seed {content['bench_seed']}. {limited(content, rows)}"
        f"{'' if too_few(rows) else verdict(rows)}".rstrip(),
        "",
    ]
    for model in dict.fromkeys(row["model"] for row in rows):
        found = content["prototypes"].get(model)
        lines += [prototype_words(found), ""] if found else []
    return lines


def blind_lines(facts: Mapping[str, Any], readings: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Write what maps that never saw the image, and the true mask, say of a bench's fractures."""
    asked = [question for question in QUESTIONS if question in facts["true_parts"]]
    mask = "; the last ones read the true mask" if readings else ""
    return [
        f"Maps that no network made (the edge map sees the image, the others do not{mask}), on the "
        "same fractures:",
        "",
        *prior_table(facts, asked),
        *(mask_row(one, asked) for one in readings),
        "",
    ]


def mask_row(reading: Mapping[str, Any], asked: Sequence[str]) -> str:
    """Write how often a reading of the true mask was right."""
    places = [_interval(reading["placement"].get(question)) for question in asked]
    return _line([f"heights read off the true mask, {reading['reading']}", *places, "–"])


def limited(content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """Say where fractures are of too few persons for intervals, and curves of fewer steps.

    Examples
    --------
    >>> bare = {"localization": {"top_share": {"low": None}}}
    >>> limited({"steps": 4}, [bare])
    'Fractures of too few persons for intervals; deletion in 4 steps. '
    >>> limited({"steps": 16}, [{"localization": {"top_share": {"low": 0.1}}}])
    ''
    """
    found = []
    if too_few(rows):
        found.append("fractures of too few persons for intervals")
    if content.get("steps", STEPS) != STEPS:
        found.append(f"deletion in {content['steps']} steps")
    return f"{'; '.join(found).capitalize()}. " if found else ""


def too_few(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether figures have no intervals, because the fractures are of too few persons."""
    return any((row["localization"].get("top_share") or {}).get("low") is None for row in rows)


def verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say how many explainers beat chance and the best prior, intervals counted.

    Examples
    --------
    >>> none = {"placement": {}, "localization": {}, "explainer": "gradcam"}
    >>> verdict([none])
    'No map chooses the endplate better than chance. No map beats the best image-blind one.'
    """
    right = [row["explainer"] for row in rows if _above(row["placement"].get("endplate"))]
    better = [row["explainer"] for row in rows if _above(row["localization"].get("top_share"))]
    first = f"Better than chance at the endplate: {', '.join(right)}." if right else ""
    second = f"Better than the best image-blind map: {', '.join(better)}." if better else ""
    return " ".join(
        [
            first or "No map chooses the endplate better than chance.",
            second or "No map beats the best image-blind one.",
        ]
    )


def _above(found: Mapping[str, Any] | None) -> bool:
    low = found["gain"]["low"] if found else None
    return low is not None and low > 0


def explainer_row(row: Mapping[str, Any], asked: Sequence[str], beside: bool = False) -> list[str]:
    """Write what a map chose, where it lay and what moved it, a cell a question."""
    top, twin = row["localization"].get("top_share"), row.get("twin") or {}
    random, curve = row.get("randomized") or {}, (row.get("faithfulness") or {}).get("twin")
    return [
        *(_interval(row["placement"].get(question)) for question in asked),
        *([_number((row.get("neighbors") or {}).get("value"))] if beside else []),
        _interval(top),
        f"{_interval(top['gain'], signed=True)}, {top['prior']}" if top else "–",
        f"{_number(twin.get('falls'))}; {_number(twin.get('auc'))}",
        _interval(curve["gap"], signed=True) if curve else "–",
        f"{_random(random, 'weights')}; {_random(random, 'labels')}",
        _number(row.get("seconds")),
    ]


def prior_table(facts: Mapping[str, Any], asked: Sequence[str]) -> list[str]:
    """List the image-blind maps.

    The mean of the other fractures leans away from the one that is asked, because the parts are
    balanced; what part it chooses says nothing, and is left out.
    """
    head = ["map", *(QUESTIONS[question][0] for question in asked), "top 2 % on the evidence"]
    lines = [_line(head), "|---" * len(head) + "|"]
    for prior in facts["priors"]:
        leans = prior["prior"].startswith("mean evidence")
        places = ["–" if leans else _number(prior["placement"].get(one)) for one in asked]
        lines.append(
            _line([prior["prior"], *places, _interval(prior["localization"].get("top_share"))])
        )
    return lines


def prototype_words(found: Mapping[str, Any]) -> str:
    """Say how different the prototypes of a class are."""
    winners: dict[str, float] = {}
    for owner, share in zip(found["owner"], found["winner_share"], strict=True):
        winners[owner] = max(winners.get(owner, 0.0), share)
    shares = ", ".join(f"{owner} {share:.2f}" for owner, share in winners.items())
    parts = ", ".join(f"{owner} {count}" for owner, count in found["distinct_parts"].items())
    return (
        f"Its prototypes: mean cosine within a class, around the mean of the cells in bodies, "
        f"{found['cosine_around_bodies']:.2f}; "
        f"largest share that one wins of its class {shares}; different parts shown {parts}; "
        f"{consistent(found['consistency'])} A cell is moved by what lies within "
        f"{found['effective_field_mm']:.0f} mm."
    )


def consistent(share: float) -> str:
    """Say how many prototypes keep to one part, and what that means for their names.

    Examples
    --------
    >>> print(consistent(0.0).split(":")[0])
    no prototype points to one and the same part in 80 % of its class (consistency 0 %)
    """
    percent = f"{100 * share:.0f} %"
    found = (
        f"{percent} of the prototypes point to one and the same part in 80 % of their class"
        if share
        else "no prototype points to one and the same part in 80 % of its class"
    )
    return (
        f"{found} (consistency {percent}): a prototype's name says where it was taken from, "
        "not where it always points."
    )


def _random(found: Mapping[str, Any], name: str) -> str:
    return _number(found.get(name)) + (" flagged" if found.get(f"{name}_flagged") else "")


def _interval(found: Mapping[str, Any] | None, signed: bool = False) -> str:
    if not found or found["value"] is None:
        return "–"
    values = [found[key] for key in ("value", "low", "high")]
    texts = [gain(value, 2) if signed else _number(value) for value in values]
    return texts[0] if found["low"] is None else f"{texts[0]} ({texts[1]} to {texts[2]})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
