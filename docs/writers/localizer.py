"""The part of docs/localizer.md on finding and naming: phantoms, opponents, real CT."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from writers import localizer_bars
from writers.markers import replaced
from writers.stored import stored

WAYS = {
    "localizer": "the localizer",
    "before": "its version {before}",
    "classical": "density and place alone: bone near the back's middle and its period, no network",
    "from below": "its centers, the lowest called L5",
    "gaps alone": "its centers, named by their distances alone",
    "one answer": "its centers, the uppermost always called T11",
}
GROUPS = {
    "whole": "whole trunk",
    "crops": "random part, three bodies or more",
    "narrow": "such a part, cut 45 mm beside its centers",
}
ALL = "all"
BINS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.01)
COLUMNS = ("found", "close", "named", "shifted", "right")
SURE = 0.95
HAIR = 0.01
"""Below this a next naming is as good as the first."""
REAL = {
    "lumbar": "lumbar CT, 3 mm",
    "thoracic": "contrast chest CT, 1.5 mm",
    "crop": "crop around L3, 1.5 mm",
}


def written(page: str, results: Path) -> str:
    """Return the page with the tables between the markers."""
    content = stored(results, "localizer.json")
    page = replaced(page, "located", "\n".join(phantom_table(content)))
    page = replaced(page, "located-trust", "\n".join(trust_table(content)))
    page = replaced(page, "located-fit", fit_words(stored(results, "localizer-validation.json")))
    page = replaced(page, "located-wrong", wrong_words(content))
    page = replaced(page, "located-real-words", real_words(content))
    page = localizer_bars.written(page, results)
    return replaced(page, "located-real", "\n".join(real_table(content)))


def phantom_table(content: dict[str, Any]) -> list[str]:
    """List shares of bodies, and what speaks against them."""
    lines = [
        f"{content['persons']} persons of the preset `{content['preset']}` (seed "
        f"{content['seed']}), which took no part in training or choosing, each scanned in random "
        f"parts{_whole_words(content)}; the localizer's version {content['version']}.",
        "",
        "| scans | named by | found within 10 mm | within 5 mm | named | named after the best "
        "shift | scans with all names right |",
        "|---|---|---|---|---|---|---|",
    ]
    for group, title in GROUPS.items():
        for way, words in WAYS.items():
            if way not in content["phantoms"].get(group, {}):
                continue
            row = content["phantoms"][group][way]
            words = words.format(before=content["before"])
            cells = [f"{100 * row[name]:.1f} %" for name in COLUMNS]
            lines.append(f"| {title} ({row['scans']}) | {words} | " + " | ".join(cells) + " |")
    lines.append("")
    for group, title in GROUPS.items():
        if group not in content["phantoms"]:
            continue
        row = content["phantoms"][group]["localizer"]
        lines.append(
            f"* {title}: {_named_words(content['intervals'][group])}; {row['extra']:.2f} "
            f"centers a scan that belong to no body; {row['refused']} refused."
        )
    return [*lines, *_more_words(content), *map(earlier, content.get("earlier", []))]


def _more_words(content: dict[str, Any]) -> list[str]:
    """Say how much more is named than by the version before, where that was measured."""
    rows = {group: row["more"] for group, row in content["intervals"].items() if "more" in row}
    return [
        f"* {title}: {100 * more:+.1f} points of the bodies named more than by version "
        f"{content['before']}{_between(low, high, '+.1f')}, in the same scans."
        for group, title in (GROUPS | {ALL: "all together"}).items()
        if group in rows and group in content["phantoms"]
        for more, low, high in [rows[group]]
    ]


def _whole_words(content: dict[str, Any]) -> str:
    return f", the first {content['whole']} whole as well" if content["whole"] else ""


def _named_words(row: dict[str, Any]) -> str:
    value, low, high = row["named"]
    return f"named {100 * value:.1f} %{_drawn(low, high, '.1f')}"


def _drawn(low: float | None, high: float | None, form: str) -> str:
    if low is None or high is None:
        return " (too few persons for an interval)"
    return f"{_between(low, high, form)}, persons drawn again"


def _between(low: float | None, high: float | None, form: str) -> str:
    if low is None or high is None:
        return ""
    return f" ({100 * low:{form}} to {100 * high:{form}})"


def trust_table(content: dict[str, Any]) -> list[str]:
    """Say how often namings are right, by their probability."""
    lines = [
        "| probability of the naming | scans | mean probability | all names right |",
        "|---|---|---|---|",
    ]
    for low, high in pairwise(BINS):
        kept = [one for one in content["scans"] if low <= one["probability"] < high]
        if kept:
            mean = sum(one["probability"] for one in kept) / len(kept)
            right = sum(one["right"] for one in kept)
            lines.append(
                f"| {low:g} to {min(high, 1):g} | {len(kept)} | {mean:.2f} | {right} "
                f"({100 * right / len(kept):.0f} %) |"
            )
    lines.append("")
    for group, title in (GROUPS | {ALL: "all together"}).items():
        if group in content["phantoms"]:
            row = content["phantoms"][group]["localizer"]
            lines.append(
                f"* {title} ({row['scans']}): calibration error {row['ece']:.3f} "
                f"({by_chance(content, group)}); at .95 or more {row['sure_wrong']} of "
                f"{row['sure']} namings are wrong, of those with a landmark in view "
                f"{row['certain_wrong']} of {row['certain']}."
            )
    return [*lines, *_off_words(content)]


def _off_words(content: dict[str, Any]) -> list[str]:
    ways = content["phantoms"][ALL]
    off, low, high = content["intervals"][ALL]["off"]
    lines = [
        f"* {100 * ways['localizer']['right']:.1f} % of all namings are right, "
        f"{mean_probability(content):.1f} % would be by their probabilities: {100 * off:+.1f} "
        f"points{_drawn(low, high, '+.1f')}."
    ]
    if "before" in ways:
        row = ways["before"]
        lines.append(
            f"* Version {content['before']} in the same scans: calibration error {row['ece']:.3f}, "
            f"at .95 or more {row['sure_wrong']} of {row['sure']} wrong."
        )
    return [*lines, _middle_words(content["scans"]), rare_words(content), open_words(content)]


def rare_words(content: dict[str, Any]) -> str:
    """Say how many wrong names are owed to levels that few patients have."""
    wrong = [one for one in content["scans"] if not one["right"]]
    sure = [one for one in wrong if one["probability"] >= SURE]
    usual = content["usual"]
    return (
        f"* {sum(one['rare'] for one in wrong)} of the {len(wrong)} wrong namings, and "
        f"{sum(one['rare'] for one in sure)} of the {len(sure)} of .95 or more, are of scans that "
        "show a thirteenth thoracic or a sixth lumbar level: the phantoms have more of them than "
        "patients do, and naming expects as many as patients have. Asked afterwards, of the "
        f"{usual['scans']} other scans: named {100 * usual['named']:.1f} %, after the best shift "
        f"{100 * usual['shifted']:.1f} %, calibration error {usual['ece']:.3f}, at .95 or more "
        f"{usual['sure_wrong']} of {usual['sure']} wrong."
    )


def open_words(content: dict[str, Any]) -> str:
    """Say how many bodies could be named at most."""
    scans = content["scans"]
    bodies = sum(one["bodies"] for one in scans)
    kept = [one for one in scans if one["open"]]
    left = sum(one["open"] for one in kept)
    return (
        f"* {left} of the {bodies} bodies, in {len(kept)} of the {len(scans)} scans, cannot be "
        "told by counting: a thirteenth rib without the first one, or six lumbar levels without "
        f"the last rib. {100 * (1 - left / bodies):.1f} % of the bodies can be named at most, but "
        "by luck, by a reader who sees every rib and the sacrum and knows every usual level by "
        f"its shape. Here {sum(one['right'] for one in kept)} of these {len(kept)} scans are named "
        "rightly."
    )


def _middle_words(scans: list[dict[str, Any]]) -> str:
    kept = [one for one in scans if 0.8 <= one["probability"] < 0.95]
    right, odds = (sum(one[key] for one in kept) for key in ("right", "probability"))
    return (
        f"* Between .8 and .95 names are right in {right} of {len(kept)} scans; by their "
        f"probabilities {odds:.0f} would be."
    )


def wrong_words(content: dict[str, Any]) -> str:
    """Say how little a probability warns of scans that hold a wrong name."""
    scans = [*content["scans"], *content["bent"]["scans"]]
    wrong = [one for one in scans if not one["right"]]
    high, higher = (sum(one["probability"] >= line for one in wrong) for line in (0.7, 0.8))
    lines = [
        f"  Of {len(wrong)} phantom scans with a wrong name, of {len(scans)}, {high} have a "
        f"probability of .70 or more, "
        f"{higher} of .80 or more: it is no warning to rely on."
    ]
    lost = [one for one in wrong if one["group"] == "whole" and not one["named"]]
    whole = sum(one["group"] == "whole" for one in scans)
    lines += [
        f"  In one of {whole} whole trunks {one['found']} of {one['bodies']} bodies are found "
        f"and none has its name, at a probability of {one['probability']:.2f}."
        for one in lost
    ]
    return "\n".join(lines)


def fit_words(row: dict[str, Any]) -> str:
    """Say what fitting the line and weighing anew was worth on validation persons."""
    kept, tried, weights = row["before"], row["tried"], row["chosen"]
    own = tried if weights["tried"] else kept
    same = "divided out already" if tried == _without_line(kept) else "not taken"
    return (
        f"Weights and line were fitted on {row['scans']} scans of {row['persons']} validation "
        f"persons. With the weights of before {kept['right']} scans are named rightly and the mean "
        f"log-probability of the true namings is {kept['true_names']:.2f}; where the shares of "
        "thirteenth and sixth levels that the networks saw are divided out, it is "
        f"{tried['right']} and {tried['true_names']:.2f}: "
        f"{'taken' if weights['tried'] else same}. Weights of "
        f"levels and distances that are chosen without the person give {row['other_weights']:.2f}; "
        f"what counts is {weights['levels']:g} and {weights['gaps']:g}. The cross-entropy of a "
        f"naming's probability is {own['line']:.2f} by lines fitted without the person, and "
        f"{own['line_with_landmark']:.2f} with a number for namings that are counted from a "
        f"landmark; with the weights of before {kept['line']:.2f} and "
        f"{kept['line_with_landmark']:.2f}, and {kept['shipped_line']:.2f} by the line that was "
        "there before this fit."
    )


def _without_line(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "shipped_line"}


def earlier(row: dict[str, Any]) -> str:
    """Say how other persons fared that were measured before."""
    groups = [
        f"{GROUPS[group]} found {100 * one['found']:.1f} %, named {100 * one['named']:.1f} %, all "
        f"names right {100 * one['right']:.1f} %"
        for group, one in row["phantoms"].items()
        if group in GROUPS
    ]
    by = f" by version {row['version']}" if "version" in row else ""
    of = f" of `{row['preset']}`" if "preset" in row else ""
    return (
        f"* {row['persons']} other persons{of} (seed {row['seed']}), measured before{by}: "
        + "; ".join(groups)
        + "."
    )


def by_chance(content: dict[str, Any], group: str) -> str:
    """Say how large the calibration error is where every probability holds."""
    mean, most = content["chance"][group]
    return f"{mean:.2f}, at most {most:.2f} in 19 of 20 draws, if every probability held"


def mean_probability(content: dict[str, Any]) -> float:
    """Return the mean probability of the namings, in percent."""
    odds = [scan["probability"] for scan in content["scans"]]
    return 100 * sum(odds) / len(odds)


def real_words(content: dict[str, Any]) -> str:
    """Say in a sentence a scan how the real CTs do."""
    lines = [f"  {_in_words(title, content['real'][name])}" for name, title in REAL.items()]
    return "\n".join([*lines, *_lost_words(content)])


def _lost_words(content: dict[str, Any]) -> list[str]:
    """Say where the version before named more bodies of a real CT."""
    before = content.get("real_before") or {}
    return [
        f"  **Version {content['before']} named {before[name]['named']} of them in the {title}, "
        f"where this one names {content['real'][name]['named']}.**"
        for name, title in REAL.items()
        if name in before and before[name]["named"] > content["real"][name]["named"]
    ]


def _in_words(title: str, row: dict[str, Any]) -> str:
    subject = f"{title[0].upper()}{title[1:]}:"
    if row.get("refused"):
        return f"{subject} refused, {row['refused']}."
    bodies = f"{row['bodies']} bodies" if row["bodies"] > 1 else "1 body"
    return (
        f"{subject} of {bodies} {row['found']} found within 10 mm, {row['close']} within 5 mm, "
        f"{row['named']} with the right name{_hair(row)} (probability {row['probability']:.3f}, "
        f"next naming {_next(row)[1]:.3f}; flagged)."
    )


def _hair(row: dict[str, Any]) -> str:
    """Say that another naming is all but equally likely."""
    return ", by a hair" if abs(row["probability"] - _next(row)[1]) < HAIR else ""


def _next(row: dict[str, Any]) -> tuple[str, float]:
    """Return the next naming: the name of its first center, and its probability."""
    name, odds = row["next"][0]
    return ("first center no vertebra" if name == "none" else f"from {name}"), odds


def real_table(content: dict[str, Any]) -> list[str]:
    """List the real CTs one by one."""
    lines = [
        "| scan | bodies | found within 10 mm | within 5 mm | named | probability | next naming "
        "| sure, from a landmark |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, title in REAL.items():
        row = content["real"][name]
        counts = f"| {title} | {row['bodies']} | {row['found']} | {row['close']} | {row['named']} "
        if row.get("refused"):
            lines.append(counts + f"| refused: {row['refused']} | – | – |")
        else:
            certain = "yes" if row["certain"] else "no"
            first, odds = _next(row)
            lines.append(
                f"{counts.rstrip()}{_hair(row)} | {row['probability']:.3f} | {first}: {odds:.3f} "
                f"| {certain} |"
            )
    return lines
