# ruff: noqa: E501  (prose)
"""What follows from three methods trained alike, and what does not: bullets of docs/methods.md."""

from __future__ import annotations

from typing import Any

import numpy as np

METHODS = {"baseline": "baseline", "protopnet": "ProtoPNet", "protoverse": "ProtoVerse"}
PLATEAU = 0.02
WITHOUT = "protoverse-lambda-0"


def reading(content: dict[str, Any]) -> str:
    """Say what a reader may and may not conclude."""
    parts = [
        steps_words(content),
        _apart(content),
        _edges(content),
        heights_words(content),
        winners(content),
        _one_seed(content),
    ]
    return "\n".join(f"* {part}" for part in parts if part)


def gains(content: dict[str, Any]) -> dict[str, float]:
    """Return what the last third of the rounds gains every method, as a mean over trainings."""
    return {
        name: float(np.mean([run["late_gain"] for run in runs.values()]))
        for name, runs in content["runs"].items()
    }


def mean_curve(content: dict[str, Any], method: str) -> list[float]:
    """Return the F1 on validation after every round, as a mean over trainings."""
    runs = content["runs"][method].values()
    made = np.mean([run["validation"] for run in runs], axis=0)
    return [float(score) for score in made]


def steps_words(content: dict[str, Any]) -> str:
    """Say whether each method is at a plateau, and what that leaves open."""
    rounds, more = content["rounds"], gains(content)
    each = ", ".join(f"{METHODS[name]} {100 * more[name]:+.1f}" for name in METHODS)
    late = [METHODS[name] for name in METHODS if more[name] > PLATEAU]
    steps = rounds["all"] * rounds["steps"]
    said = f"The best F1 on validation in the last third of {steps} steps, less the best before: {each} points.".replace(
        "-", "−"
    )
    trainings = [run["late_gain"] for name in METHODS for run in content["runs"][name].values()]
    single = f"{sum(gain <= PLATEAU for gain in trainings)} of {len(trainings)} single trainings gain no more than two."
    if not late:
        return (
            f"{said} All are at a plateau of these rounds; {single} What is compared is where they end with this network, "
            "this input, and rates that begin anew every round."
        )
    return (
        f"{said} **No plateau: {' and '.join(late)}** {'gain' if len(late) > 1 else 'gains'} more than two points; {single} The "
        f"table compares networks of at most {steps} steps. It does not say where a method ends, nor which one is best in the end."
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
    rates = sorted(content["rates"])
    ends = {rates[0]: "lowest", rates[-1]: "highest"}
    chosen = {name: content["chosen"][name] for name in METHODS}
    at = [f"{METHODS[name]} the {ends[rate]}" for name, rate in chosen.items() if rate in ends]
    if not at:
        return f"{len(rates)} rates were tried; no method's best one is at an end of them."
    return (
        f"{len(rates)} rates were tried. Best on validation was for {', '.join(at)}: **a better one may lie outside**. The "
        "budget is equal; that it suits all methods equally is not shown."
    )


def _one_seed(content: dict[str, Any]) -> str:
    trainings = len(content["runs"]["protoverse"])
    return (
        f"Rates were compared by one short training each ({content['rounds']['tuning']} rounds), the chosen ones on the tests by "
        f"{trainings}. Seeds differ in the persons that validate, too, so intervals hold start and fold."
    )


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
        "([dissection](dissection.md), [when the mask is wrong](masks.md))."
    )


def winners(content: dict[str, Any]) -> str:
    """Say how much of its class the most frequent prototype wins after projection."""
    shares = {
        name: float(np.mean([run["winner_share"] for run in runs.values()]))
        for name, runs in content["runs"].items()
        if all("winner_share" in run for run in runs.values())
    }
    if not shares:
        return ""
    each = ", ".join(f"{share:.2f}" for share in shares.values())
    named = ", ".join(
        (METHODS | {WITHOUT: "ProtoVerse without the diversity term"})[k] for k in shares
    )
    return (
        f"After projection the prototype that wins most often wins a share of its class of {each} ({named}; a third would be even "
        "use of three)."
    )


def _lowest(content: dict[str, Any], method: str, test: str) -> float:
    return min(run[f"f1_{test}"] for run in content["runs"][method].values())


def _highest(content: dict[str, Any], method: str, test: str) -> float:
    return max(run[f"f1_{test}"] for run in content["runs"][method].values())


def _listed(tests: list[str]) -> str:
    return " and ".join(f"`{test}`" for test in tests)
