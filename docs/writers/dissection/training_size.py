"""The page's section on detectors that learned from few and from many spines, and its picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT
from writers.dissection.tables import table

UNTRAINED = "0"
CHANCE_ENTROPY, PLATEAU, LEARNED = 0.35, 0.02, 0.8
FEWEST = 3  # seeds
SILENCING = "what silencing the first ten costs"
Value = Callable[[dict[str, Any]], float]
JUDGED: dict[str, Value] = {
    "units tied to fracture": lambda run: float(run["tied"]),
    SILENCING: lambda run: run["lost_beyond"]["mean"],
}


def of_sizes(found: dict[str, Any]) -> str:
    """Write the section; what it comes to stands first on the page."""
    counts, sizes = found["counts"], found["sizes"]
    return "\n".join(
        [
            "## Learned from few spines, learned from many\n",
            f"The paper found patterns in networks trained on 1,246 fractures and none in those trained "
            f"on 254. Here the detector learned from {_listed(sizes)} `{found['preset']}` phantoms, boxes "
            f"of {found['extent_mm']:g} mm in {found['size']} samples, about as many steps whatever the "
            f"size, other persons for every seed as far as there are. The epoch was chosen on the same "
            f"{found['validation'][1]} persons, all were dissected on the same {counts['subjects']} unseen "
            f"ones: {counts['samples']} vertebrae, {counts['positives']} fractured. Sizes and rule were "
            f"[written down](decisions/claims.md#what-is-run-small) before any was trained. *Silencing* is "
            f"what fractured vertebrae lose without the first ten units, beyond what they lose without ten "
            f"others, in standard deviations of the network's log odds.\n",
            "![Area under the curve, units tied to fracture, and what silencing the first ten costs, by "
            "fractures learned from; a dot a seed](images/dissection/training-size.png)\n",
            table(_HEAD, [_row(found, size) for size in (UNTRAINED, *map(str, sizes))]),
            f"Mean of {len(seeds_of(found))} seeds (least to most). The evidence is "
            f"{100 * _any(found)['chance']:.1f} % of a fractured vertebra's crop.\n",
            f"{trainings(found)}\n",
        ]
    )


_HEAD = [
    "scans",
    "fractures learned from",
    "AUC, unseen",
    "units tied to fracture",
    "silencing, SD",
    "AUC without the first ten",
    "overlap with the evidence",
    "of their masks on it",
]


def seeds_of(found: dict[str, Any]) -> list[str]:
    """Return the seeds that every size is done for."""
    names = [UNTRAINED, *map(str, found["sizes"])]
    return [s for s in found["runs"][names[-1]] if all(s in found["runs"][n] for n in names)]


def values(found: dict[str, Any], size: str, value: Value) -> list[float]:
    """Return a figure of every seed."""
    return [value(found["runs"][size][seed]) for seed in seeds_of(found)]


def holds(found: dict[str, Any], value: Value) -> str:
    """Return ``holds``, ``fails`` or ``undecided`` for one figure, by the stated rule."""
    sizes = [str(size) for size in found["sizes"]]
    few, many = (np.array(values(found, size, value)) for size in (sizes[0], sizes[-1]))
    floor = max(np.ptp(values(found, size, value)) for size in sizes)
    if many.mean() <= few.mean():
        return "fails"
    return "holds" if (many > few).all() and many.mean() - few.mean() > floor else "undecided"


def at_chance(run: dict[str, Any]) -> bool:
    """Whether the interval of a training's area under the curve holds a half."""
    return bool(run["auc"]["low"] <= 0.5 <= run["auc"]["high"])


def verdict(found: dict[str, Any]) -> str:
    """Say what the claim comes to, by the rule that was written down."""
    largest = str(found["sizes"][-1])
    blind = [at_chance(found["runs"][largest][seed]) for seed in seeds_of(found)]
    said = {name: holds(found, value) for name, value in JUDGED.items()}
    if len(blind) < FEWEST:
        return (
            f"**Not decided: {len(blind)} of at least {FEWEST} seeds are done**, too few for the rule. So far "
            f"{'; '.join(f'{name}: *{word}*' for name, word in said.items())}."
        )
    each = "; ".join(f"{name}: *{word}*" for name, word in said.items())
    if 3 * sum(blind) > len(blind):
        return (
            f"**Undecided: {sum(blind)} of {len(blind)} trainings with most scans are at chance**, "
            f"so nothing that they show is worth a word. ({each}.)"
        )
    if "fails" in said.values():
        return f"**The paper's central claim fails by the rule that was written down.** {each}."
    if set(said.values()) == {"holds"}:
        return f"**Patterns grow with the cohort, in every seed and beyond what seeds differ by.** {each}."
    return f"**Undecided at this size: more patterns from more spines, but not beyond what seeds differ by.** {each}."


def trainings(found: dict[str, Any]) -> str:
    """Explain every training at chance, and say which were at a plateau."""
    lines, late = [], 0
    for size in map(str, found["sizes"]):
        for seed in seeds_of(found):
            run = found["runs"][size][seed]
            late += run["late_gain"] > PLATEAU
            if at_chance(run):
                memorized = run["cross_entropy"] < CHANCE_ENTROPY
                why = "memorized its vertebrae" if memorized else "did not descend"
                lines.append(
                    f"{size} scans, seed {seed}: {why} (cross-entropy {run['cross_entropy']:.2f}, "
                    f"AUC {run['auc']['mean']:.2f})"
                )
    count = len(found["sizes"]) * len(seeds_of(found))
    blind = f"At chance on unseen persons: {'; '.join(lines)}." if lines else "None is at chance."
    return (
        f"{blind} {count - late} of {count} were at a plateau: the last third of the epochs gained at "
        f"most {PLATEAU:g} of F1 on validation."
    )


def reservations(found: dict[str, Any]) -> str:
    """Say what weakens the test: few spines that already suffice, an opponent that wins."""
    sizes = [str(size) for size in found["sizes"]]
    auc = {size: mean_of(found, size, lambda run: run["auc"]["mean"]) for size in sizes}
    lost = {size: mean_of(found, size, JUDGED[SILENCING]) for size in (UNTRAINED, *sizes)}
    said = ""
    if auc[sizes[0]] > LEARNED:
        said += (
            f" **{sizes[0]} spines already teach most of what {sizes[-1]} do** (AUC {auc[sizes[0]]:.2f} and "
            f"{auc[sizes[-1]]:.2f}): fractures of phantoms are more alike than patients', and even the smallest "
            "cohort here was large enough to learn from."
        )
    if lost[UNTRAINED] >= max(lost[size] for size in sizes):
        said += (
            f" By the measure of silencing untrained networks lead ({lost[UNTRAINED]:.2f} SD): their log odds hardly "
            "vary, and silencing moves all vertebrae alike. It is no sign of a pattern; the area under the curve "
            "without the first ten units says whether they matter."
        )
    return said


def mean_of(found: dict[str, Any], size: str, value: Value) -> float:
    """Return a figure's mean over the seeds."""
    return float(np.mean(values(found, size, value)))


def _any(found: dict[str, Any]) -> dict[str, Any]:
    return found["runs"][str(found["sizes"][-1])][seeds_of(found)[0]]


def _listed(sizes: list[int]) -> str:
    return f"{', '.join(map(str, sizes[:-1]))} and {sizes[-1]}"


def _row(found: dict[str, Any], size: str) -> list[str]:
    def cell(value: Value, digits: int) -> str:
        made = values(found, size, value)
        text = f"{np.mean(made):.{digits}f} ({min(made):.{digits}f} to {max(made):.{digits}f})"
        return text.replace("-", "−")

    learned = "–" if size == UNTRAINED else cell(lambda run: run["fractures"], 0)
    return [
        "none, untrained" if size == UNTRAINED else size,
        learned,
        cell(lambda run: run["auc"]["mean"], 2),
        cell(lambda run: run["tied"], 1),
        cell(lambda run: run["lost_beyond"]["mean"], 2),
        cell(lambda run: run["auc_without_first"], 2),
        cell(lambda run: run["iou_top"], 3),
        cell(lambda run: 100 * run["share_top"], 1) + " %",
    ]


def size_png(found: dict[str, Any], path: Path) -> None:
    """Draw three figures against the fractures learned from, a dot a seed."""
    shown: dict[str, Value] = {
        "Area under the curve": lambda run: run["auc"]["mean"],
        "Units tied to fracture": lambda run: run["tied"],
        "Silencing the first ten, SD": lambda run: run["lost_beyond"]["mean"],
    }
    names = [UNTRAINED, *map(str, found["sizes"])]
    with drawn(path, 8.2, 2.8) as figure:
        for axes, (title, value) in zip(figure.subplots(1, len(shown)), shown.items(), strict=True):
            for place, size in enumerate(names):
                made = values(found, size, value)
                shift = (np.arange(len(made)) - (len(made) - 1) / 2) * 0.08
                ink = LIGHT["muted"] if size == UNTRAINED else LIGHT["accent"]
                axes.plot(place + shift, made, "o", color=ink, ms=5, alpha=0.85)
                axes.hlines(np.mean(made), place - 0.25, place + 0.25, color=ink, lw=1.6)
            axes.set_xticks(range(len(names)), ["untrained", *names[1:]])
            axes.set_xlabel("scans learned from")
            axes.set_title(title, loc="left")
