# ruff: noqa: E501  (prose, and one line a row of a table)
"""Write docs/experiments.md and its pictures from the stored results, and nothing else.

    python scripts/experiments_page.py

Every number and every verdict of the page is computed here from experiments/results.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from spinexplain.experiment.crossval_results import p_value, signed
from spinexplain.experiment.stored import find_results
from spinexplain.experiment.table import markdown
from spinexplain.experiment.tables import make_tables
from spinexplain.report.paper_figures import draw_figures

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "experiments" / "results"
PAGE = ROOT / "docs" / "experiments.md"
PICTURES = ROOT / "docs" / "images" / "experiments"
MARGIN = -0.02
FIGURE = "class_average_f1"


def main() -> None:
    found = find_results(RESULTS)
    tables = make_tables(found)
    results = next(i.content for i in found.of("crossval") if "factors" not in i.content)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in draw_figures(found, tables, Path(folder)):
            if "table" not in name:
                shutil.copyfile(Path(folder) / name, PICTURES / name)
    PAGE.write_text(page(results, tables), "utf-8")
    print(PAGE)


def page(results: dict, tables: list) -> str:
    parts = [
        "# Experiments",
        "",
        "What the comparison of the ProtoVerse paper shows on phantoms, at a size that a laptop can "
        "repeat. Written by `scripts/experiments_page.py` from `experiments/results`; every number "
        "comes from there.",
        "",
        how(results),
        "",
        "## What held and what did not",
        "",
        *verdicts(results),
        "",
        "## Differences",
        "",
        *differences(results),
        "",
        "![Differences in class-average F1 with their intervals](images/experiments/differences.png)",
        "",
        "The dashed line is two points below no difference.",
        "",
        "## What the diversity term does",
        "",
        *prototypes(results),
        "",
        "![Cosines of ProtoVerse's prototypes, raw and mean-centered, before and after projection]"
        "(images/experiments/protoverse-figure3-protoverse.png)",
        "",
        "## The tables beside the published numbers",
        "",
        *(markdown(table) for table in tables),
        "## Not run here",
        "",
        "- Real VerSe'19: no license problem, but no data where this was run. "
        "`experiments/verse19` has the three commands.",
        "- VGG-11 at 224, the paper's backbone: built and tested, too slow without a GPU.",
        *missing(tables),
        "",
    ]
    return "\n".join(parts)


def how(results: dict) -> str:
    names = ", ".join(f"`{entry['name']}`" for entry in results["entries"])
    steps = ", ".join(f"{entry['name']} {entry['steps']}" for entry in results["entries"])
    trunk = results["entries"][0]["config"]["trunk"]
    return (
        f"{results['vertebrae']} vertebrae of {results['subjects']} synthetic subjects, "
        f"{results['folds_planned']} folds by subject{finished(results)}, {len(results['entries'])} "
        f"trainings a fold ({names}). All share input, augmentation, starting trunk and the classifier phase, which is "
        f"trained once a fold. Trunk: {trunk['name']} {tuple(trunk['widths'])}, started from the shipped "
        "model's (trained on other phantoms), as the paper starts from ImageNet. Steps of gradient "
        f"descent: {steps}; the settings were fixed beforehand, the same for all, and none was tuned on "
        f"held-out folds. Data `{results['data_sha256'][:12]}`. Synthetic spines: nothing here is about "
        "patients."
    )


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


def verdicts(results: dict) -> list[str]:
    lines = []
    for other in ("baseline", "protoverse-lambda-0"):
        value, low, high = interval_of(results, "protoverse", other)
        held = low > MARGIN
        words = "held" if held else "did not hold"
        lines.append(
            f"- **Not worse than `{other}` by more than two points of class-average F1: {words}.** "
            f"Difference {signed(value)} points ({signed(low)} to {signed(high)})."
        )
    order = ["baseline", "protopnet", "protoverse"]
    means = {name: entry_of(results, name)["mean"][FIGURE] for name in order}
    found = " < ".join(sorted(order, key=means.__getitem__))
    ranking = found == "baseline < protopnet < protoverse"
    shown = ", ".join(f"{name} {100 * means[name]:.1f}" for name in order)
    lines.append(
        f"- **The paper's ranking of table 2 (baseline < ProtoPNet < ProtoVerse): "
        f"{'held' if ranking else 'did not hold'}.** Class-average F1: {shown}. {why(results)}"
    )
    for name in ("protoverse", "protoverse-lambda-0", "protopnet"):
        story = entry_of(results, name)["prototypes"]
        largest, copies = story["diagonal_is_largest"], sum(story["duplicates"])
        lines.append(
            f"- `{name}`: diagonal of table 3 is the largest of row and column: "
            f"{yes(largest['true_class'])} (to the vertebra's own logit; with signs of connections "
            f"constrained it can not but be), {yes(largest['own_class'])} (to the prototypes' own "
            f"logit, where it can fail). Duplicate prototypes: {copies or 'none'}."
        )
    return lines


def why(results: dict) -> str:
    """Say where ProtoPNet's distance to ProtoVerse comes from, by what was measured."""
    net = entry_of(results, "protopnet")["prototypes"]
    verse = entry_of(results, "protoverse")["prototypes"]
    lambda_0 = interval_of(results, "protoverse", "protoverse-lambda-0")
    far, near = np.mean(net["longest_distance"]), np.mean(verse["longest_distance"])
    return (
        f"Between ProtoVerse and the same training without its diversity term lie "
        f"{signed(lambda_0[0])} points, so the term is not what tells the two networks apart here. What "
        f"does is that prototypes started at random stay far from every patch: the farthest one "
        f"travels {far:.1f} (squared distance) in ProtoPNet's projection, {near:.1f} in ProtoVerse's, "
        "whose prototypes start on patches of their class."
    )


def yes(value: bool) -> str:
    return "yes" if value else "**no**"


def differences(results: dict) -> list[str]:
    lines = [
        "Class-average F1 in points; subject bootstrap on the pooled held-out predictions. Wilcoxon and "
        "the corrected t-test compare the folds, McNemar's test the vertebrae.",
        "",
        "| first − second | difference (95 %) | Wilcoxon two-sided, one-sided | corrected t | McNemar |",
        "|---|---|---|---|---|",
    ]
    for pair in results["comparisons"]:
        found = pair["differences"][FIGURE]
        rank, t = pair["tests"][FIGURE]
        lines.append(
            f"| {pair['first']} − {pair['second']} | {signed(found['value'])} "
            f"({signed(found['low'])} to {signed(found['high'])}) | {p_value(rank['p_two_sided'])}, "
            f"{p_value(rank['p_one_sided'])} | {p_value(t['p_two_sided'])} | "
            f"{p_value(pair['mcnemar']['p_two_sided'])} |"
        )
    n = results["folds"]
    lines += [
        "",
        f"Wilcoxon over {n} folds can not fall below {2.0 ** (1 - n):.4g} two-sided and "
        f"{2.0**-n:.4g} one-sided: no result of {n} folds is significant two-sided"
        + (" at 0.05. The paper's 0.031 is that one-sided floor." if n == 5 else "."),
    ]
    return lines


def prototypes(results: dict) -> list[str]:
    lines = [
        "Means over the folds. Cosines are of prototypes of one class, raw and with the mean latent cell "
        "taken off; the winner share is the part of a class's held-out vertebrae that its busiest "
        "prototype wins; distance is the squared distance travelled in projection.",
        "",
        "| entry | cosine before → after | centered before → after | winner share before → after | "
        "mean distance | farthest |",
        "|---|---|---|---|---|---|",
    ]
    for entry in results["entries"]:
        story = entry["prototypes"]
        if story is None:
            continue
        cells = [
            f"{np.mean(story['before'][key]):.2f} → {np.mean(story['after'][key]):.2f}"
            for key in ("same_class_cosine", "same_class_centered", "winner_share")
        ]
        cells += [f"{np.mean(story[k]):.2f}" for k in ("distance_travelled", "longest_distance")]
        lines.append(f"| {entry['name']} | {' | '.join(cells)} |")
    with_term = entry_of(results, "protoverse")["prototypes"]
    without = entry_of(results, "protoverse-lambda-0")["prototypes"]
    effect = {
        state: np.mean(with_term[state]["same_class_centered"])
        - np.mean(without[state]["same_class_centered"])
        for state in ("before", "after")
    }
    share = np.mean(with_term["after"]["winner_share"]) - np.mean(without["after"]["winner_share"])
    lines += [
        "",
        f"The term changes the mean-centered cosine by {effect['before']:+.2f} before projection and by "
        f"{effect['after']:+.2f} after it, and the winner share after projection by {share:+.2f}.",
    ]
    return [line.replace("-0.", "\N{MINUS SIGN}0.") for line in lines]


def missing(tables: list) -> list[str]:
    have = {table.key for table in tables}
    wanted = {
        "protoverse-table1": "Table 1 (a held-out test set): `evaluate`.",
        "protoverse-table5": "Table 5 (prototypes per class): `ablate --over prototypes=2,3,4,5`.",
        "protoverse-table6": "Table 6 (weight of the diversity term): `ablate --over lambda_div=...`.",
        "dissection-table1": "Table 1 of the dissection paper: `trials`.",
    }
    return [f"- {words}" for key, words in wanted.items() if key not in have]


if __name__ == "__main__":
    main()
