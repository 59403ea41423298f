"""The sentences of an atlas: measured numbers, and what they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spinexplain.analysis.atlas.record import ModelAtlas
from spinexplain.evaluate.prototypes import same_class_cosine
from spinexplain.report.atlas_view import cosines, known
from spinexplain.texts.catalogue import Catalogue

DOMINANT = 0.75
IDLE = 0.05


def sentences(atlas: ModelAtlas, say: Catalogue) -> list[str]:
    """Say what was measured, most important first.

    Parameters
    ----------
    atlas : ModelAtlas
    say : Catalogue
    """
    made = [_place(atlas, say), _work(atlas, say), _travel(atlas, say), figure_three(atlas, say)]
    return [text for text in made if text]


@dataclass(frozen=True)
class Line:
    """One measured quantity of two models side by side."""

    what: str
    values: tuple[str, str]


def side_by_side(one: ModelAtlas, other: ModelAtlas, say: Catalogue) -> list[Line]:
    """Set the numbers of two models beside each other; what neither knows is left out.

    Parameters
    ----------
    one, other : ModelAtlas
    say : Catalogue
    """
    columns = [_summary(atlas) for atlas in (one, other)]
    lines = []
    for key in columns[0]:
        first, second = (column[key] for column in columns)
        if first or second:
            dash = "\N{EN DASH}"
            lines.append(Line(say(f"atlas.line.{key}"), (first or dash, second or dash)))
    return lines


def _summary(atlas: ModelAtlas) -> dict[str, str]:
    means = {key: same_class_cosine(m, atlas.owner) for key, m in cosines(atlas).items()}
    pairs = {
        f"{kind}_{when}": _known_two(means.get((kind, when)))
        for kind in ("raw", "centered")
        for when in ("before", "after")
    }
    body = [p.structures["body"] for p in atlas.prototypes if "body" in p.structures]
    ways = [p.travelled for p in atlas.prototypes if p.travelled is not None]
    scale = atlas.patch_distance
    wins = [p.winner_share or 0 for p in atlas.prototypes if known(p.winner_share)]
    idle = sum(share < IDLE for share in wins)
    return {
        **pairs,
        "travelled": f"{np.median(ways) / scale:.1f} \N{MULTIPLICATION SIGN}"
        if ways and scale
        else "",
        "body": f"{_percent(float(np.mean(body)))} %" if body else "",
        "dominant": f"{sum(share >= DOMINANT for share in wins)}" if wins else "",
        "idle": f"{idle}" if wins else "",
    }


def _known_two(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else _two(value)


def figure_three(atlas: ModelAtlas, say: Catalogue) -> str:
    """Say what the cosine matrix as published shows, and what it hides."""
    means = {key: same_class_cosine(m, atlas.owner) for key, m in cosines(atlas).items()}
    means = {key: value for key, value in means.items() if not math.isnan(value)}
    raw = _before_and_after(means, "raw", say)
    patches = []
    if raw and atlas.patch_cosine is not None:
        patches.append(say("atlas.cosine_patches", raw=_two(atlas.patch_cosine[0])))
    return " ".join([*raw, *patches, *_before_and_after(means, "centered", say)])


def _before_and_after(means: dict[tuple[str, str], float], kind: str, say: Catalogue) -> list[str]:
    """Say the mean cosine of one kind after projection, and before it where known."""
    known = {when: _two(means[kind, when]) for when in ("before", "after") if (kind, when) in means}
    if "before" in known:
        return [say(f"atlas.cosine_{kind}", **known)]
    return [say(f"atlas.cosine_{kind}_after", **known)] if known else []


def _place(atlas: ModelAtlas, say: Catalogue) -> str:
    body = [p.structures["body"] for p in atlas.prototypes if "body" in p.structures]
    if not body:
        return ""
    behind = [p.structures["posterior elements"] for p in atlas.prototypes if p.structures]
    return say(
        "atlas.place",
        low=_percent(min(body)),
        high=_percent(max(body)),
        area=_percent(atlas.structure_area["body"]),
        posterior=_percent(max(behind)),
        posterior_area=_percent(atlas.structure_area["posterior elements"]),
    )


def _work(atlas: ModelAtlas, say: Catalogue) -> str:
    winners = [p for p in atlas.prototypes if known(p.winner_share)]
    if not winners:
        return ""
    strong = [p for p in winners if (p.winner_share or 0) >= DOMINANT]
    if not strong:
        top = max(winners, key=lambda p: p.winner_share or 0)
        return say("atlas.winners_even", name=top.name, share=_percent(top.winner_share or 0))
    named = [f"{p.name} ({_percent(p.winner_share or 0)} %)" for p in strong]
    return say("atlas.winners_strong", count=len(named), names=say.listed(named))


def _travel(atlas: ModelAtlas, say: Catalogue) -> str:
    ways = [p.travelled for p in atlas.prototypes if p.travelled is not None]
    if not ways:
        return ""
    if not atlas.patch_distance:
        return say("atlas.travel", low=_two(min(ways)), high=_two(max(ways)))
    return say(
        "atlas.travel_far",
        low=_two(min(ways)),
        high=_two(max(ways)),
        typical=_two(atlas.patch_distance),
        count=sum(way > atlas.patch_distance for way in ways),
        total=len(ways),
    )


def _two(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "\N{MINUS SIGN}")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"
