"""The figures of a scored study as tables, for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spinexplain.experiment.study_table import table4
from spinexplain.experiment.table import Row, Table, cell
from spinexplain.experiment.tables import published

_COEFFICIENTS = ("agreement", "cohen", "fleiss", "gwet")


def score_tables(score: Mapping[str, Any]) -> list[Table]:
    """Write everything a study shows; what it has nothing to say of is left out.

    Parameters
    ----------
    score : mapping
        From :func:`spinexplain.study.score.score_study`.
    """
    makers = (
        _readers,
        _table4,
        _foils,
        _right,
        _arms,
        _reading,
        _units,
        _agreement,
        _repeats,
        _power,
    )
    made = [maker(score) for maker in makers]
    return [table for table in made if table is not None and table.rows]


def interval_cell(found: Mapping[str, Any] | None, signed: bool = False) -> str:
    """Write a figure with its interval.

    Examples
    --------
    >>> interval_cell({"value": 0.5, "low": 0.25, "high": 0.75}, signed=True)
    '+0.50 (+0.25 to +0.75)'
    >>> interval_cell({"value": None, "low": None, "high": None})
    '–'
    """
    if found is None or found["value"] is None:
        return cell(None)

    def written(value: float) -> str:
        text = f"{value:+.2f}" if signed else f"{value:.2f}"
        return text.replace("-", "\N{MINUS SIGN}")

    text = written(found["value"])
    if found["low"] is not None:
        text += f" ({written(found['low'])} to {written(found['high'])})"
    return text


def _readers(score: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            f"reader {row['reader']}",
            "",
            (
                f"{row['finished']} of {row['pages']}",
                cell(row["median_seconds"]),
                "; ".join(row["notes"]) or "none",
            ),
        )
        for row in score["readers"]
    ]
    columns = ("pages finished", "seconds a page, median", "remarks")
    return Table("readers", "Readers", columns, tuple(rows), ())


def _table4(score: Mapping[str, Any]) -> Table | None:
    return table4(score, published()["protoverse"]) if score["table4"] else None


def _foils(score: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            f"{row['arm']}, {row['question']}",
            f"{whose(row['reader'])}, {row['foil'] if row['foil'] != 'all' else 'all foils'}",
            (
                cell(row["real"], digits=2),
                cell(row["false"], digits=2),
                str(row["foil_pages"]),
                interval_cell(row["difference"], signed=True),
                row["verdict"],
            ),
        )
        for row in score["foils"]
    ]
    columns = ("yes, real", "yes, foils", "pages with foils", "difference", "verdict")
    notes = (
        "Share of pieces answered yes. Whoever says yes to everything has a difference of 0, and "
        "their yes means nothing: informative readers are the others. Intervals by patient, from "
        "ten patients with foils on.",
    )
    return Table("foils", "Real evidence against foils", columns, tuple(rows), notes)


def whose(reader: int | str) -> str:
    """Name a reader, or readers put together.

    Examples
    --------
    >>> whose(2), whose("informative")
    ('reader 2', 'informative readers')
    """
    return f"reader {reader}" if isinstance(reader, int) else f"{reader} readers"


def _right(score: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            f"{row['arm']}, {row['question']}",
            whose(row["reader"]),
            (
                cell(row["right"], digits=2),
                cell(row["wrong"], digits=2),
                str(row["wrong_pages"]),
                interval_cell(row["difference"], signed=True),
            ),
        )
        for row in score["right_or_wrong"]
    ]
    columns = ("yes, model right", "yes, model wrong", "pages, wrong", "difference")
    notes = ("Evidence that convinces as much for a wrong grade warns nobody.",)
    return Table("right-or-wrong", "Where the model is wrong", columns, tuple(rows), notes)


def _arms(score: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            f"{row['question']}, {whose(row['reader'])}",
            f"{row['first']} \N{MINUS SIGN} {row['second']}",
            (
                cell(row["first_share"], digits=2),
                cell(row["second_share"], digits=2),
                interval_cell(row["difference"], signed=True),
            ),
        )
        for row in score["arms_compared"]
    ]
    return Table(
        "arms", "Arms compared", ("yes, first", "yes, second", "difference"), tuple(rows), ()
    )


def _reading(score: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            f"reader {row['reader']}, {row['first']} \N{RIGHTWARDS ARROW} {row['second']}",
            row["figure"],
            (
                cell(row["first_value"], digits=2),
                cell(row["second_value"], digits=2),
                interval_cell(row["difference"], signed=True),
                str(row["pages"]),
            ),
        )
        for row in score["reading"]
    ]
    columns = ("first", "second", "difference", "vertebrae")
    notes = (
        "Fractured: G2 and G3. On the vertebrae that the reader read both ways. Readers are fixed; "
        "intervals by patient.",
    )
    return Table("reading", "Reading without and with evidence", columns, tuple(rows), notes)


def _units(score: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            f"rank {row['rank']}",
            f"unit {row['unit']}",
            (
                "; ".join(str(name) for name in row["names"] if name) or cell(None),
                "; ".join(str(place) for place in row["places"] if place) or cell(None),
                f"{row['meaningful'].count('yes')} of {sum(map(bool, row['meaningful']))}",
                row["suggestion"] or "nothing stands out",
                f"{'yes' if row['tied'] else 'no'}, q {row['q']:.3f}",
            ),
        )
        for row in score.get("units", ())
    ]
    columns = ("named", "place", "meaningful to", "suggested afterwards", "tied to fracture")
    notes = (
        "Suggestions were shown after the answers. A draft takes the names of tied units only.",
    )
    return Table("units", "What readers call the units", columns, tuple(rows), notes)


def _agreement(score: Mapping[str, Any]) -> Table:
    return Table(
        "agreement",
        "Agreement between readers",
        ("items", "weights", *_HEADS),
        tuple(
            Row(
                f"{row['question']}, {whose(row['reader'])}",
                f"per {row['per']}",
                _coefficients(row),
            )
            for row in score["agreement"]
        ),
        _AGREEMENT_NOTES,
    )


def _repeats(score: Mapping[str, Any]) -> Table:
    return Table(
        "repeats",
        "Agreement of readers with themselves, on pages shown twice",
        ("items", "weights", *_HEADS),
        tuple(
            Row(
                f"reader {row['reader']}",
                f"{row['question']}, per {row['per']}",
                _coefficients(row),
            )
            for row in score["repeats"]
        ),
        _AGREEMENT_NOTES,
    )


_HEADS = ("agreement", "Cohen", "Fleiss", "Gwet", "remark")
_AGREEMENT_NOTES = (
    "Cohen and Fleiss: kappa, weighted where the answers have an order. Gwet: AC1, with weights "
    "AC2. Intervals by patient.",
)


def _coefficients(row: Mapping[str, Any]) -> tuple[str, ...]:
    figures = [interval_cell(row.get(name)) for name in _COEFFICIENTS]
    return (str(row["items"]), row["weights"], *figures, row["note"] or "none")


def _power(score: Mapping[str, Any]) -> Table:
    rows = [
        Row(
            row["question"],
            "difference as seen" if row["of_observed"] == 1 else "half of it",
            (
                cell(row["difference"], digits=2),
                str(row["readers"]),
                _needed(row),
                ", ".join(f"{cases}: {100 * share:.0f} %" for cases, share in row["curve"]),
            ),
        )
        for row in score["power"]
    ]
    columns = ("real \N{MINUS SIGN} foils", "readers", "cases for 80 %", "power by cases")
    notes = (
        "Simulated: each case once with real evidence and once with a foil, paired t test over "
        "cases, by informative readers where there are any. A difference that was seen once is "
        "rather too large: plan with half of it.",
    )
    return Table("power", "How large the next study should be", columns, tuple(rows), notes)


def _needed(row: Mapping[str, Any]) -> str:
    known = row["cases_for_80_percent"]
    largest: Sequence[Any] = row["curve"][-1]
    return f"more than {largest[0]}" if known is None else str(known)
