# ruff: noqa: E501  (prose, and one line a row of a table)
"""The verdict, the tables and the picture of docs/methods.md: three methods trained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.config.training import read_config
from spinexplain.ui.plots import drawn
from spinexplain.ui.tokens import LIGHT
from writers.markers import replaced
from writers.methods_reading import METHODS, PLATEAU, WITHOUT, gains, mean_curve, reading
from writers.methods_rounds import earlier_words
from writers.stored import stored

NAMES = METHODS | {WITHOUT: "ProtoVerse without the diversity term"}
RANKING = ("protoverse - protopnet", "protoverse - baseline", "protopnet - baseline")
SHAPE = {"cosine_after": "cosine after projection", "winner_share": "winner share"}


def written(page: str, results: Path) -> str:
    """Return the page with what was measured between its markers."""
    content = stored(results, "methods.json")
    page = replaced(page, "verdict", verdict(content))
    page = replaced(page, "setting", setting(content))
    page = replaced(page, "rounds", earlier_words(content))
    page = replaced(page, "reading", reading(content))
    return replaced(page, "tables", "\n".join(tables(content)))


def ranked(content: dict[str, Any], pair: str) -> str:
    """Return ``better``, ``worse`` or ``undecided`` by the stated rule, on both test sets."""
    found = content["differences"][pair].values()
    clear = all(abs(one["value"]) > one["floor"] for one in found)
    if clear and all(one["low"] > 0 for one in found):
        return "better"
    if clear and all(one["high"] < 0 for one in found):
        return "worse"
    return "undecided"


def acts(content: dict[str, Any]) -> dict[str, float]:
    """Return what the diversity term changes by more than two trainings without it differ by."""
    changed = {}
    for key in SHAPE:
        on, off = (
            np.array([run[key] for run in content["runs"][name].values()])
            for name in ("protoverse", WITHOUT)
        )
        if abs(on.mean() - off.mean()) > np.ptp(off):
            changed[key] = float(on.mean() - off.mean())
    return changed


def verdict(content: dict[str, Any]) -> str:
    """Say first what the ranking and the term come to."""
    words = {pair: ranked(content, pair) for pair in RANKING}
    told = "; ".join(
        f"{_pair(pair)} {_interval(content, pair)}: *{word}*" for pair, word in words.items()
    )
    first = (
        "**The paper's ranking does not show here**"
        if "better" not in (words[RANKING[0]], words[RANKING[1]])
        else "**Part of the paper's ranking shows here**"
    )
    if words[RANKING[0]] == words[RANKING[1]] == "better":
        first = "**The paper's ranking shows here**"
    trainings = len(content["runs"]["protoverse"])
    if first.startswith("**The paper's ranking does not") and "worse" not in words.values():
        first = (
            "**Undecided: no method is better than another on both test sets** by more than chance"
        )
    changed = acts(content)
    term = (
        "**What the diversity term changes is no more than what two trainings without it differ by.**"
        if not changed
        else "**The diversity term acts**: "
        + ", ".join(f"{SHAPE[k]} {_signed(v, 2)}" for k, v in changed.items())
        + f", more than trainings without it differ by; one prototype still wins {_won(content)} of its class."
    )
    return (
        f"{plateaus(content)} {first}, {trainings} trainings each, whole networks from one trunk. Difference of class-average F1 in points on "
        f"`balanced` and on `hard`, intervals over test persons and trainings: {told}. {on_one_set(content)}"
        f"{near_heights(content)}{term}"
    )


def _won(content: dict[str, Any]) -> str:
    shares = [run["winner_share"] for run in content["runs"]["protoverse"].values()]
    return f"{100 * np.mean(shares):.0f} %"


def on_one_set(content: dict[str, Any]) -> str:
    """Say where a difference is clear on one test set alone, which the rule calls undecided."""
    clear = [
        f"{_pair(pair)} on `{test}` {_signed(100 * one['value'], 1)}"
        for pair in RANKING
        if ranked(content, pair) == "undecided"
        for test, one in content["differences"][pair].items()
        if abs(one["value"]) > one["floor"] and one["low"] * one["high"] > 0
    ]
    return f"**On one test set alone it is clear**: {', '.join(clear)}. " if clear else ""


def near_heights(content: dict[str, Any]) -> str:
    """Say, for each test set, which methods are above heights read off the mask at all."""
    heights = content["opponents"].get("heights in the mask", {})
    return "".join(_near_on(content, test, value) for test, value in heights.items())


def _near_on(content: dict[str, Any], test: str, reached: float) -> str:
    """Set the means of the methods on one test set beside what heights reach there."""
    found = {
        words: [run[f"f1_{test}"] for run in content["runs"][name].values()]
        for name, words in METHODS.items()
    }
    floor = max(float(np.ptp(runs)) for runs in found.values())
    above = {words: float(np.mean(runs)) - reached for words, runs in found.items()}
    clear = [words for words, more in above.items() if more > floor]
    means = ", ".join(f"{words} {_signed(100 * more, 1)}" for words, more in above.items())
    if not clear:
        start = f"**On `{test}` no method is above heights of the mask alone** by more than two trainings of one method differ by"
    elif len(clear) < len(above):
        start = f"**On `{test}` only {' and '.join(clear)}** {'is' if len(clear) == 1 else 'are'} above heights of the mask alone by more than two trainings of one method differ by"
    else:
        start = f"On `{test}` all are above heights of the mask alone by more than two trainings of one method differ by"
    return f"{start}: heights {100 * reached:.1f}, from there {means}; trainings differ by up to {100 * floor:.1f}. "


def plateaus(content: dict[str, Any]) -> str:
    """Say which methods still gained in the last third of their rounds."""
    late = [
        f"{NAMES[name]} {_signed(100 * more, 1)}"
        for name, more in gains(content).items()
        if more > PLATEAU
    ]
    if not late:
        return "**All are at a plateau**: the last third of the rounds gains no method more than two points on validation."
    return (
        f"**No plateau**: the last third of the rounds still gains on validation ({', '.join(late)} points), so the ranking "
        "may be that of speed, and [what follows from it](#what-follows-and-what-does-not) is little."
    )


def setting(content: dict[str, Any]) -> str:
    """Say what was trained on what."""
    trunk, training, rounds = content["trunk"], content["training"], content["rounds"]
    classes = "; ".join(
        f"{name} G0 {n[0]}, G2 {n[1]}, G3 {n[2]}" for name, n in content["classes"].items()
    )
    tests = " and ".join(
        f"{count} of `{preset}` (seed {seed})" for preset, seed, count in content["tests"].values()
    )
    rates = ", ".join(f"{rate:g}" for rate in content["rates"])
    return (
        f"Trunk: conv {tuple(trunk['widths'])}, {trunk['steps']} steps of a plain classifier on {trunk['sheets'][2]} sheets of "
        f"`{trunk['sheets'][0]}` (seed {trunk['sheets'][1]}). All methods: {training[2]} sheets of `{training[0]}` (seed "
        f"{training[1]}), a quarter of them, another one for every seed, for validation; crops of {content['extent_mm']:g} mm in "
        f"{content['size']} samples, batches of {content['batch']}, {content['precision']}. Rates of the trunk, the same for "
        f"all: {rates}, each for {rounds['tuning']} rounds of {rounds['steps']} steps; the best one then from the start for "
        f"{rounds['all']} rounds, the best round kept. A prototype network's head alone has {rounds['warm']} steps before. Tests: "
        f"{tests}. Classes: {classes}."
    )


def tables(content: dict[str, Any]) -> list[str]:
    """Lay out every method with its seeds, the opponents, and what tuning chose."""
    tests = list(content["tests"])
    lines = [
        f"| | {' | '.join(f'F1, {name}' for name in tests)} | cosine after | winner share | different source patches, of {_prototypes(content)} |"
    ]
    lines.append("|---|" + "---|" * (len(tests) + 3))
    for name, words in NAMES.items():
        runs = list(content["runs"][name].values())
        cells = [_spread([100 * run[f"f1_{test}"] for run in runs], 1) for test in tests]
        cells += [
            _spread([run[key] for run in runs], 2) if key in runs[0] else "–"
            for key in (*SHAPE, "distinct")
        ]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    for name, figures in content["opponents"].items():
        cells = [f"{100 * figures[test]:.1f}" for test in tests]
        lines.append(f"| *opponent:* {name} | {' | '.join(cells)} | – | – | – |")
    return [
        *lines,
        "",
        "Mean of the seeds (least to most); F1 in points.",
        "",
        f"| first − second | {' | '.join(f'{test} | two trainings differ by up to' for test in tests)} |",
        "|---|" + "---|---|" * len(tests),
        *(_difference_row(content, pair) for pair in content["differences"]),
        "",
        "| best F1 on validation with rate | "
        + " | ".join(f"{rate:g}" for rate in content["rates"])
        + " | chosen |",
        "|---" * (len(content["rates"]) + 2) + "|",
        *(
            f"| {NAMES[name]} | {' | '.join(f'{100 * s:.1f}' for s in scores)} | {content['chosen'][name]:g} |"
            for name, scores in content["tuning"].items()
        ),
        "",
        "| F1 on validation after round | "
        + " | ".join(str(k) for k in range(1, content["rounds"]["all"] + 1))
        + " | last third gains |",
        "|---" * (content["rounds"]["all"] + 2) + "|",
        *(
            f"| {NAMES[name]} | {' | '.join(f'{100 * s:.1f}' for s in mean_curve(content, name))} | "
            f"{_signed(100 * gains(content)[name], 1)} |"
            for name in NAMES
        ),
        "",
        "Mean of the seeds; the gain is that of the best of the last third of the rounds over the best before, in each training.",
    ]


def _difference_row(content: dict[str, Any], pair: str) -> str:
    found = content["differences"][pair]
    cells = [
        f"{_cell(found[test])} | {100 * found[test]['floor']:.1f}" for test in content["tests"]
    ]
    return f"| {_pair(pair)} | {' | '.join(cells)} |"


def _prototypes(content: dict[str, Any]) -> int:
    """Return how many prototypes a network has: as many a class as the preset has."""
    per_class = read_config("protoverse").head.prototypes_per_class
    return per_class * len(content["classes"]["training"])


def _cell(one: dict[str, float]) -> str:
    value, low, high = (_signed(100 * one[key], 1) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _interval(content: dict[str, Any], pair: str) -> str:
    return ", ".join(_cell(one) for one in content["differences"][pair].values())


def _pair(pair: str) -> str:
    one, other = pair.split(" - ")
    return f"{NAMES[one]} − {NAMES[other]}"


def _spread(values: list[float], digits: int) -> str:
    text = f"{np.mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
    return text.replace("-", "−")


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def draw(results: Path, images: Path) -> list[Path]:
    """Draw class-average F1 of every method, a dot a seed, opponents as lines."""
    content = stored(results, "methods.json")
    path = images / "methods.png"
    names = list(content["runs"])
    with drawn(path, 9.6, 2.8) as figure:
        *panels, last = figure.subplots(1, 3, sharey=True)
        for axes, test in zip(panels, content["tests"], strict=True):
            for place, name in enumerate(names):
                found = [100 * run[f"f1_{test}"] for run in content["runs"][name].values()]
                shift = (np.arange(len(found)) - (len(found) - 1) / 2) * 0.1
                axes.plot(place + shift, found, "o", color=LIGHT["accent"], ms=5)
                axes.hlines(
                    np.mean(found), place - 0.25, place + 0.25, color=LIGHT["accent"], lw=1.6
                )
            for look, (name, figures) in zip(
                ("--", ":", "-."), content["opponents"].items(), strict=True
            ):
                axes.axhline(100 * figures[test], color=LIGHT["muted"], lw=1, ls=look, label=name)
            axes.set_xticks(
                range(len(names)), ["baseline", "ProtoPNet", "ProtoVerse", "without\nthe term"]
            )
            axes.set_title(f"Class-average F1, {test}", loc="left")
            axes.set_ylim(0, 100)
        axes.legend(frameon=False, loc="lower right", fontsize=7)
        for look, name in zip(("-", "--", ":", "-."), names, strict=True):
            made = [100 * score for score in mean_curve(content, name)]
            last.plot(range(1, len(made) + 1), made, look, color=LIGHT["accent"], label=NAMES[name])
        last.set_title("On validation, by round", loc="left")
        last.xaxis.get_major_locator().set_params(integer=True)
        last.legend(frameon=False, loc="lower right", fontsize=7)
    return [path]
