"""The papers' figures from stored results, each with the hashes of what it was drawn from."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinexplain.evaluate.figures import HEADLINE
from spinexplain.experiment.stored import Results, Stored
from spinexplain.experiment.study_table import study_pictures
from spinexplain.experiment.table import Table
from spinexplain.experiment.tables import of_factor, published
from spinexplain.experiment.task_table import compares_tasks
from spinexplain.report.paper_examples import draw_examples, draw_prototypes
from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import GRADES, LIGHT

if TYPE_CHECKING:
    from spinexplain.data.cohort import Cohort

_WORDS = ("class-average accuracy", "class-average F1", "sample accuracy")


def draw_figures(
    results: Results, tables: Sequence[Table], folder: Path, cohort: Cohort | None = None
) -> list[str]:
    """Draw every figure for which there are results; return their names.

    Figure 3 (cosines of the prototypes, before and after projection), figure 4 (the
    prototypes, where their runs were kept), figures 5 and 6 (held-out vertebrae explained;
    they need the cohort), figure 7 (weighting), figure 8 (pages of a reader study),
    differences, and every table as a picture.

    Parameters
    ----------
    results : Results
    tables : sequence of Table
    folder : Path
    cohort : Cohort, optional
        That of the cross-validations.

    Raises
    ------
    ConfigError
        If the cohort is another one.
    """
    names = []
    for suffix, item in _told_apart(results):
        names += _cosines(item, folder, suffix)
        names += _comparison(item, folder, suffix)
        if draw_prototypes(item, folder / f"protoverse-figure4{suffix}.png"):
            names.append(f"protoverse-figure4{suffix}.png")
        if cohort is not None:
            names += draw_examples(item, cohort, folder, suffix)
    for item in results.of("crossval"):
        if "loss.class_weights" in item.content.get("factors", {}).get("keys", []):
            names.append(_weighting(item, folder))
    for item in results.of("study"):
        for picture in study_pictures(item):
            name = f"protoverse-{item.content['study']}-{picture.name}"
            shutil.copyfile(picture, folder / name)
            names.append(name)
    for table in tables:
        _table_png(table, folder / f"{table.key}.png")
        names.append(f"{table.key}.png")
    return names


def _told_apart(results: Results) -> list[tuple[str, Stored]]:
    """Return the cross-validations of ProtoVerse's task, several with their folders' names."""
    classes = published()["protoverse"]["table3"]["columns"]
    items = [
        item
        for item in results.of("crossval")
        if "factors" not in item.content and not compares_tasks(item, classes)
    ]
    if len(items) == 1:
        return [("", items[0])]
    return [(f"-{item.path.parent.name}", item) for item in items]


def _origin(item: Stored) -> str:
    data = str(item.content.get("data_sha256"))[:12]
    return f"data {data}, results {item.sha256[:12]}"


def _cosines(item: Stored, folder: Path, suffix: str) -> list[str]:
    """Draw figure 3: raw and centered cosine, before and after projection, first fold."""
    names = []
    for entry in item.content["entries"]:
        found = entry["prototypes"]
        if found is None or "before" not in found["first_fold"]:
            continue
        name = f"protoverse-figure3-{entry['name']}{suffix}.png"
        with drawn(folder / name, 6.6, 6.4) as figure:
            axes = figure.subplots(2, 2)
            for row, state in enumerate(("before", "after")):
                for column, kind in enumerate(("cosine", "centered_cosine")):
                    values = np.array(found["first_fold"][state][kind])
                    _cosine_matrix(axes[row, column], values, found, item.content["classes"])
                    words = {"cosine": "cosine", "centered_cosine": "mean-centered cosine"}[kind]
                    axes[row, column].set_title(f"{words}, {state} projection", loc="left")
            figure.suptitle(f"{entry['name']}, first fold; {_origin(item)}", fontsize=8)
        names.append(name)
    return names


def _cosine_matrix(
    axes: Any, values: np.ndarray, found: dict[str, Any], classes: list[str]
) -> None:
    owner = np.array(found["prototype_class"])
    axes.imshow(values, cmap="PuOr_r", vmin=-1, vmax=1)
    for (i, j), value in np.ndenumerate(values):
        text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
        ink = LIGHT["surface"] if abs(value) > 0.7 else LIGHT["text"]
        axes.text(j, i, text, ha="center", va="center", fontsize=6, color=ink)
    for edge in np.flatnonzero(np.diff(owner)) + 0.5:
        axes.axhline(edge, color=LIGHT["text"], lw=0.8)
        axes.axvline(edge, color=LIGHT["text"], lw=0.8)
    centers = [np.flatnonzero(owner == k).mean() for k in range(len(classes))]
    axes.set_xticks(centers, classes)
    axes.set_yticks(centers, classes)
    axes.tick_params(length=0)


def _comparison(item: Stored, folder: Path, suffix: str) -> list[str]:
    """Draw the paired differences in class-average F1 with their intervals."""
    pairs = [
        p for p in item.content["comparisons"] if p["differences"][HEADLINE[1]]["low"] is not None
    ]
    if not pairs:
        return []
    with drawn(folder / f"differences{suffix}.png", 6.2, 0.9 + 0.38 * len(pairs)) as figure:
        axes = figure.add_subplot()
        axes.axvline(0, color=LIGHT["line"])
        axes.axvline(-2, color=LIGHT["warning-line"], ls="--", lw=1)
        for row, pair in enumerate(reversed(pairs)):
            found = pair["differences"][HEADLINE[1]]
            axes.plot([100 * found["low"], 100 * found["high"]], [row, row], color=LIGHT["muted"])
            axes.plot(100 * found["value"], row, "o", color=LIGHT["accent"])
        axes.set_yticks(
            range(len(pairs)), [f"{p['first']} − {p['second']}" for p in reversed(pairs)]
        )
        axes.set_xlabel("class-average F1, difference in points")
        axes.set_title(_origin(item), fontsize=8, loc="left")
    return [f"differences{suffix}.png"]


def _weighting(item: Stored, folder: Path) -> str:
    """Draw figure 7: the weighting schemes side by side."""
    entries = of_factor(item, "loss.class_weights")
    with drawn(folder / "protoverse-figure7.png", 6.2, 3.2) as figure:
        axes = figure.add_subplot()
        width = 0.8 / len(HEADLINE)
        fills = [GRADES[name].fill for name in ("G0", "G2")] + [LIGHT["accent"]]
        for k, key in enumerate(HEADLINE):
            axes.bar(
                np.arange(len(entries)) + (k - 1) * width,
                [100 * entry["mean"][key] for entry, _ in entries],
                width,
                yerr=[100 * (entry["sd"][key] or 0) for entry, _ in entries],
                color=fills[k],
                label=_WORDS[k],
                error_kw={"ecolor": LIGHT["muted"], "lw": 1},
            )
        axes.set_xticks(range(len(entries)), [value for _, value in entries])
        axes.set(ylim=(0, 100), ylabel="percent, mean and SD of folds")
        figure.legend(loc="outside lower center", ncols=3, fontsize=7)
        axes.set_title(_origin(item), fontsize=8, loc="left")
    return "protoverse-figure7.png"


def _table_png(table: Table, path: Path) -> None:
    """Draw a table as a picture, ours set off by the color of the line."""
    lines = [["", "", *table.columns], *([r.origin, r.name, *r.cells] for r in table.rows)]
    lengths = [max(len(line[k]) for line in lines) + 3 for k in range(len(lines[0]))]
    width = max(5.0, 0.085 * sum(lengths))
    with drawn(path, width, 0.5 + 0.26 * len(lines)) as figure:
        axes = figure.add_subplot()
        axes.axis("off")
        axes.set_title(table.title, loc="left")
        starts = np.concatenate([[0], np.cumsum(lengths)]) / sum(lengths)
        for i, line in enumerate(lines):
            y = 1 - (i + 0.5) / len(lines)
            ink = LIGHT["muted"] if i == 0 or line[0] == "published" else LIGHT["text"]
            for k, text in enumerate(line):
                axes.text(starts[k], y, text, va="center", color=ink, transform=axes.transAxes)
        axes.axhline(1 - 1 / len(lines), color=LIGHT["line"], lw=1)
        axes.set(xlim=(0, 1), ylim=(0, 1))
