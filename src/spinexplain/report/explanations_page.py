"""The leaderboard of explanations: a page, a Markdown table, JSON and plots."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.io.files import atomic_file
from spinexplain.report.evaluation_page import score
from spinexplain.ui.contours import level_contour
from spinexplain.ui.pages import render_page, software_version, write_page
from spinexplain.ui.pictures import Album, Picture, upsample
from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT

if TYPE_CHECKING:
    from spinexplain.analysis.explanations.assemble import Panel

LOCALIZATION = {
    "top_share": "top 2 %",
    "pointing_game": "pointing game",
    "energy_inside": "energy inside",
    "matched_iou": "matched IoU",
    "precision_recall_area": "precision-recall",
}
QUESTIONS = {
    "endplate": ("which endplate", 2),
    "third": ("which third", 3),
    "side": ("which side", 2),
}
REFERENCES = {"twin": "healthy twin", "blur": "blurred", "local_mean": "local mean"}
REGIONS = {
    "body": "target's body",
    "target": "target vertebra",
    "neighbors": "neighbors",
    "outside_bone": "outside bone",
    "shortcut": "planted mark",
}


@dataclass(frozen=True)
class PanelView:
    """One picture of the page: the crop with the map over it and the evidence outlined."""

    title: str
    picture: Picture
    wash: Picture
    outline: str
    name: str
    grade: str
    share: float


def write_leaderboard(
    content: Mapping[str, Any], panels: Mapping[str, Sequence[Panel]], out: Path
) -> Path:
    """Write ``leaderboard.json``, ``leaderboard.md``, ``index.html`` and plots.

    Parameters
    ----------
    content : mapping
        What ``score_explanations`` found, JSON-ready.
    panels : mapping of str to sequence of Panel
        By model and explainer.
    out : Path
        An existing folder.

    Returns
    -------
    Path
        The page.
    """
    with atomic_file(out / "leaderboard.json") as temporary:
        text = json.dumps(content, indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    with atomic_file(out / "leaderboard.md") as temporary:
        temporary.write_text(markdown(content), encoding="utf-8")
    if content["rows"]:
        skill_png(content, out / "skill.png")
        placement_png(content, out / "placement.png")
    if any(row.get("faithfulness") for row in content["rows"]):
        deletion_png(content, out / "deletion.png")
    return write_page(out / "index.html", page(content, panels))


def page(content: Mapping[str, Any], panels: Mapping[str, Sequence[Panel]]) -> str:
    """Draw the page as one HTML text, no network."""
    album = Album()
    shown = {
        "found": content,
        "benches": [_bench_view(name, content) for name in content["benches"]],
        "panels": {name: [_view(one, album) for one in shown] for name, shown in panels.items()},
        "localization": LOCALIZATION,
        "questions": QUESTIONS,
        "references": REFERENCES,
        "regions": REGIONS,
        "software": software_version(),
    }
    filters: dict[str, Callable[..., Any]] = {"score": score, "gain": gain, "position": position}
    return render_page(
        "explanations", shown, script=False, filters=filters, also=("evaluation.css",)
    )


def _bench_view(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    rows = sorted_rows([row for row in content["rows"] if row["bench"] == name])
    return {"name": name, "facts": content["benches"][name], "rows": rows}


def sorted_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Sort rows by the least they gain in placement of the endplate, then on the evidence."""

    def key(row: Mapping[str, Any]) -> tuple[float, float]:
        places = row["placement"].get("endplate", {}).get("gain", {}).get("low")
        skill = row["localization"].get("top_share", {}).get("gain", {}).get("low")
        return tuple(-(value if value is not None else -9.0) for value in (places, skill))  # type: ignore[return-value]

    return sorted(rows, key=key)


def gain(value: float | None, digits: int = 3) -> str:
    """Write a difference with its sign, or a dash where there is none.

    Examples
    --------
    >>> gain(0.25), gain(-0.5), gain(None)
    ('+0.250', '−0.500', '–')
    """
    text = score(value, digits)
    return f"+{text}" if value is not None and value > 0 else text


def position(value: float | None, low: float = -1.0, high: float = 1.0) -> float:
    """Return where a value lies on a bar from low to high, percent.

    Examples
    --------
    >>> position(0.5), position(-3)
    (75.0, 0.0)
    """
    share = ((value or 0.0) - low) / (high - low)
    return round(100 * min(max(share, 0.0), 1.0), 1)


def _view(panel: Panel, album: Album) -> PanelView:
    hu, heatmap = _sagittal(panel.hu), _sagittal(panel.heatmap)
    evidence = _sagittal(panel.evidence)
    factor = hu.shape[0] // heatmap.shape[0]
    fine = upsample(heatmap, factor)
    outline = level_contour(np.kron(evidence.astype(float), np.ones((factor, factor))), 0.5)
    return PanelView(
        title=panel.title,
        picture=album.add_ct(hu, detail=2),
        wash=album.add_wash(fine, float(fine.max()), detail=1),
        outline=outline,
        name=panel.name,
        grade=panel.grade,
        share=panel.share,
    )


def _sagittal(array: np.ndarray) -> np.ndarray:
    return array if array.ndim == 2 else array[..., array.shape[-1] // 2]


def markdown(content: Mapping[str, Any]) -> str:
    """Write the leaderboard as Markdown: one table of explainers and one of priors a bench."""
    lines = [f"# Explanations on {_escaped(content['cohort'])}", ""]
    for name, facts in content["benches"].items():
        rows = sorted_rows([row for row in content["rows"] if row["bench"] == name])
        lines += [
            f"## {name}: {facts['vertebrae']} vertebrae of {facts['subjects']} subjects",
            "",
            *_explainer_table(rows, facts),
            "",
            "Image-blind maps:",
            "",
            *_prior_table(facts),
            "",
        ]
    if content["left_out"]:
        lines += ["Not scored:", ""]
        lines += [
            f"- {_escaped(one['explainer'])} on {_escaped(one['model'])}: {one['reason']}"
            for one in content["left_out"]
        ]
    return "\n".join(lines).rstrip() + "\n"


def _explainer_table(rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[str]:
    asked = [q for q in QUESTIONS if q in facts["true_parts"]]
    head = ["model", "explainer", *(QUESTIONS[q][0] for q in asked), "top 2 % on the evidence"]
    head += ["skill over the best prior", "falls on the twin", "random weights", "CPU s"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        found = row["localization"].get("top_share")
        twin, random = row.get("twin") or {}, row.get("randomized") or {}
        lines.append(
            _line(
                [
                    _escaped(row["model"]),
                    _escaped(row["explainer"]),
                    *(_with_interval(row["placement"].get(q)) for q in asked),
                    _with_interval(found),
                    _with_interval(found["gain"], signed=True) if found else "–",
                    score(twin.get("falls"), 2),
                    score(random.get("weights"), 2)
                    + (" flagged" if random.get("weights_flagged") else ""),
                    score(row.get("seconds"), 3),
                ]
            )
        )
    return lines


def _prior_table(facts: Mapping[str, Any]) -> list[str]:
    asked = [q for q in QUESTIONS if q in facts["true_parts"]]
    head = ["map", *(QUESTIONS[q][0] for q in asked), "top 2 % on the evidence"]
    lines = [_line(head), _line(["---"] * len(head))]
    for prior in facts["priors"]:
        places = [score(prior["placement"].get(q), 3) for q in asked]
        shown = _with_interval(prior["localization"].get("top_share"))
        lines.append(_line([prior["prior"], *places, shown]))
    return lines


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    kept = "".join(c if c.isprintable() else "?" for c in str(text))
    return kept.replace("|", "\\|").replace("<", "&lt;")


def _with_interval(found: Mapping[str, Any] | None, signed: bool = False) -> str:
    if not found or found["value"] is None:
        return "–"
    write = gain if signed else score
    if found["low"] is None:
        return write(found["value"])
    return f"{write(found['value'])} ({write(found['low'])} to {write(found['high'])})"


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{row['model']}: {row['explainer']}" for row in rows]


def skill_png(content: Mapping[str, Any], path: Path) -> None:
    """Draw what every explainer gains over the best image-blind map on the evidence."""
    rows = [row for row in sorted_rows(content["rows"]) if row["localization"]]
    found = [row["localization"]["top_share"]["gain"] for row in rows]
    _forest(path, _names(rows), found, 0.0, "top 2 % on the evidence, minus the best prior's")


def placement_png(content: Mapping[str, Any], path: Path) -> None:
    """Draw how often every explainer chooses the right endplate."""
    rows = [row for row in sorted_rows(content["rows"]) if row["placement"].get("endplate")]
    found = [row["placement"]["endplate"] for row in rows]
    _forest(path, _names(rows), found, 0.5, "right endplate (balanced; chance 0.5)")


def _forest(
    path: Path, names: list[str], found: Sequence[Mapping[str, Any]], line: float, label: str
) -> None:
    with drawn(path, 6.4, 1.0 + 0.26 * max(len(names), 1)) as figure:
        axes = figure.add_subplot()
        axes.axvline(line, color=LIGHT["muted"], lw=1, ls="--")
        for place, one in enumerate(found):
            if one["low"] is not None:
                axes.hlines(place, one["low"], one["high"], color=LIGHT["accent"], lw=2)
            axes.plot([one["value"]], [place], "o", color=LIGHT["accent"], ms=5)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
        axes.set_xlabel(label)


def deletion_png(content: Mapping[str, Any], path: Path) -> None:
    """Draw the mean deletion and insertion curves against the blurred crop."""
    rows = [row for row in content["rows"] if (row.get("faithfulness") or {}).get("blur")]
    with drawn(path, 7.2, 3.4) as figure:
        panes = figure.subplots(1, 2, sharey=True)
        for index, (pane, title) in enumerate(zip(panes, ("deletion", "insertion"), strict=True)):
            for row in rows:
                curve = row["faithfulness"]["blur"]["curves"][index]
                side = np.linspace(0, 1, len(curve))
                pane.plot(side, curve, label=f"{row['model']}: {row['explainer']}", lw=1.2)
            pane.set(title=title, xlabel="side of the area changed", ylim=(0, 1))
        panes[0].set_ylabel("probability of fracture")
        panes[1].legend(fontsize=6, frameon=False)
