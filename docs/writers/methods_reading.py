# ruff: noqa: E501  (prose)
"""What follows from three methods trained alike, and what does not: bullets of docs/methods.md."""

from __future__ import annotations

from typing import Any

METHODS = {"baseline": "baseline", "protopnet": "ProtoPNet", "protoverse": "ProtoVerse"}
PLATEAU = 0.02


def reading(content: dict[str, Any]) -> str:
    """Say what a reader may and may not conclude."""
    parts = [
        steps_words(content),
        _apart(content),
        _edges(content),
        heights_words(content),
        _one_seed(content),
    ]
    return "\n".join(f"* {part}" for part in parts if part)


def best_by_steps(content: dict[str, Any], method: str) -> dict[int, float]:
    """Return the best F1 on validation by the steps that were taken."""
    best: dict[int, float] = {}
    scores = content["validation"][method]
    for candidate, score in zip(content["candidates"], scores, strict=True):
        best[candidate["steps"]] = max(score, best.get(candidate["steps"], 0.0))
    return dict(sorted(best.items()))


def steps_words(content: dict[str, Any]) -> str:
    """Say how far each method is from a plateau, and what that leaves open."""
    made = {name: list(best_by_steps(content, name).values()) for name in METHODS}
    fewer, most = list(best_by_steps(content, "baseline"))
    each = ", ".join(
        f"{METHODS[name]} {100 * few:.1f} to {100 * many:.1f}" for name, (few, many) in made.items()
    )
    late = [METHODS[name] for name, (few, many) in made.items() if many - few > PLATEAU]
    said = f"F1 on validation from {fewer} to {most} steps: {each}."
    if not late:
        return f"{said} All are at a plateau: what is compared is where they end."
    return (
        f"{said} **No plateau: {' and '.join(late)}** {'gain' if len(late) > 1 else 'gains'} more than two points. The "
        f"table compares networks of at most {most} steps. It does not say where a method ends, nor which one is best in "
        f"the end. {_gap(made, most)}"
    )


def _gap(made: dict[str, list[float]], most: int) -> str:
    """Say whether the leader's lead over the best other method shrinks with the steps."""
    leader = max(made, key=lambda name: made[name][-1])
    second = max((name for name in made if name != leader), key=lambda name: made[name][-1])
    few, many = (100 * (made[leader][k] - made[second][k]) for k in (0, -1))
    moved = "has widened, not narrowed" if many > few else "has narrowed"
    return (
        f"On validation {METHODS[leader]} leads {METHODS[second]} by {few:.1f} points with half the steps and by {many:.1f} with "
        f"all {most}: the gap {moved}."
    )


def _apart(content: dict[str, Any]) -> str:
    """Say where every training of one method is above every training of another."""
    found = []
    for one in METHODS:
        for other in METHODS:
            tests = [
                test
                for test in content["tests"]
                if _lowest(content, one, test) > _highest(content, other, test)
            ]
            if tests:
                found.append(
                    f"every training of {METHODS[one]} is above every one of {METHODS[other]} on {_listed(tests)}"
                )
    if not found:
        return ""
    return f"What does hold at these steps, as a count and no test: {'; '.join(found)}."


def _edges(content: dict[str, Any]) -> str:
    """Say which methods chose a rate at the end of what was tried."""
    rates = sorted({candidate["trunk_lr"] for candidate in content["candidates"]})
    ends = {rates[0]: "lowest", rates[-1]: "highest"}
    chosen = {name: content["candidates"][content["chosen"][name]]["trunk_lr"] for name in METHODS}
    at = [f"{METHODS[name]} the {ends[rate]}" for name, rate in chosen.items() if rate in ends]
    if not at:
        return ""
    return (
        f"{len(rates)} rates were tried. Best on validation was for {', '.join(at)}: **a better one may lie outside**. The "
        "budget is equal; that it suits all methods equally is not shown."
    )


def _one_seed(content: dict[str, Any]) -> str:
    trainings = len(content["runs"]["protoverse"])
    return f"Candidates were compared by one training each, the chosen ones on the tests by {trainings}."


def heights_words(content: dict[str, Any]) -> str:
    """Say which trainings heights of one sheet's mask come up to."""
    heights = content["opponents"]["heights in the mask"]
    under = [
        f"{count} of {len(content['runs'][name])} trainings of {METHODS[name]} on `{test}`"
        for name in METHODS
        for test in content["tests"]
        if (count := sum(r[f"f1_{test}"] <= heights[test] for r in content["runs"][name].values()))
    ]
    reached = " and ".join(f"{100 * heights[test]:.1f} on `{test}`" for test in content["tests"])
    said = f"not above them are {', '.join(under)}" if under else "every training is above them"
    return (
        f"Heights read off one sheet's mask reach {reached}; {said}. They see no neighbor, as a radiologist does, so a "
        "network above them has not beaten heights: with neighbors and the whole body they come nearer to the truth "
        "([dissection](dissection.md), [when the mask is wrong](masks.md)). These heights, by thirds and without the rims, "
        "took the place of weaker ones, by single columns, after the networks' figures were known."
    )


def _lowest(content: dict[str, Any], method: str, test: str) -> float:
    return min(run[f"f1_{test}"] for run in content["runs"][method].values())


def _highest(content: dict[str, Any], method: str, test: str) -> float:
    return max(run[f"f1_{test}"] for run in content["runs"][method].values())


def _listed(tests: list[str]) -> str:
    return " and ".join(f"`{test}`" for test in tests)
