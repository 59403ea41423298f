"""What one experiment's stored results say of its entries and their differences."""

from __future__ import annotations

from pathlib import Path

PICTURES = Path(__file__).resolve().parents[2] / "images" / "experiments"
MARGIN = -0.02
FIGURE = "class_average_f1"


def counts(results: dict) -> str:
    """Say how many vertebrae of each class were held out, over all folds."""
    found = results["entries"][0]["pooled"]["class_figures"]
    return ", ".join(f"{figure['name']} {figure['count']}" for figure in found)


def finished(results: dict) -> str:
    """Say how many folds there are results of, where it is not all."""
    if results["folds"] == results["folds_planned"]:
        return ""
    return f" of which {results['folds']} were finished ({results['held_out']} held-out vertebrae)"


def entry_of(results: dict, name: str) -> dict:
    return next(entry for entry in results["entries"] if entry["name"] == name)


def pair_of(results: dict, one: str, two: str) -> tuple[dict, int]:
    """Return the comparison of two entries and the sign that makes it one - two."""
    for pair in results["comparisons"]:
        if (pair["first"], pair["second"]) == (one, two):
            return pair, 1
        if (pair["first"], pair["second"]) == (two, one):
            return pair, -1
    raise KeyError((one, two))


def interval_of(results: dict, one: str, two: str) -> tuple[float, float, float]:
    pair, sign = pair_of(results, one, two)
    found = pair["differences"][FIGURE]
    low, high = sorted((sign * found["low"], sign * found["high"]))
    return sign * found["value"], low, high


def picture(name: str, words: str) -> list[str]:
    """Show a picture that was drawn, by its folder's name where there are several."""
    names = [name, name.replace("-comparison.png", ".png")]
    drawn = next((one for one in names if (PICTURES / one).is_file()), None)
    return [] if drawn is None else [f"![{words}](images/experiments/{drawn})", ""]
