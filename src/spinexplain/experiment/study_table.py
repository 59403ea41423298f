"""ProtoVerse's table 4, clinical validation, from scored reader studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spinexplain.experiment.stored import Results, Stored
from spinexplain.experiment.table import Row, Table, cell

KEY = "protoverse-table4"
NO_STUDY = (
    "Table 4 and figure 8 are left out: there is no scored reader study (study score) among "
    "the results, and nobody's answers are invented."
)
_QUESTIONS = ("relevance", "similarity")
_TOTAL = "all"


def study_tables(results: Results, paper: Mapping[str, Any]) -> list[Table]:
    """Make table 4 of every scored study in which prototypes were judged.

    Parameters
    ----------
    results : Results
    paper : mapping
        What ProtoVerse prints.

    Returns
    -------
    list of Table
        Empty where there is no study.
    """
    items = [item for item in results.of("study") if item.content.get("table4")]
    tables = [table4(item.content, paper, item.sha256) for item in items]
    if len(tables) < 2:
        return tables
    return [
        Table(f"{table.key}-{item.content['study']}", table.title, *_rest(table))
        for table, item in zip(tables, items, strict=True)
    ]


def _rest(table: Table) -> tuple[tuple[str, ...], tuple[Row, ...], tuple[str, ...]]:
    return table.columns, table.rows, table.notes


def table4(score: Mapping[str, Any], paper: Mapping[str, Any], sha256: str = "") -> Table:
    """Write one study's table 4, the published raters above.

    Parameters
    ----------
    score : mapping
        What ``study score`` wrote.
    paper : mapping
    sha256 : str
        Of the file, where it is named.
    """
    printed = paper["table4"]
    grades = ("G2", "G3", _TOTAL)
    rows = [
        Row("published", row["name"], tuple(cell(value, digits=2) for value in row["values"]))
        for row in printed["rows"]
    ]
    whose = dict.fromkeys((row["arm"], row["reader"]) for row in score["table4"])
    for arm, reader in whose:
        cells = [_cell(score, arm, reader, q, grade) for q in _QUESTIONS for grade in grades]
        rows.append(Row("ours", f"{arm}, reader {reader}", tuple(cells)))
    columns = tuple(printed["columns"])
    title = f"{printed['title']} (table 4)"
    return Table(KEY, title, columns, tuple(rows), tuple(_notes(score, paper, sha256)))


def _cell(score: Mapping[str, Any], arm: str, reader: int, question: str, grade: str) -> str:
    for row in score["table4"]:
        if (row["arm"], row["reader"], row["question"], row["grade"]) == (
            arm,
            reader,
            question,
            grade,
        ):
            share = row["share"]
            text = cell(share["value"], digits=2)
            if share["low"] is not None:
                text += f" ({share['low']:.2f} to {share['high']:.2f})"
            return text
    return cell(None)


def _notes(score: Mapping[str, Any], paper: Mapping[str, Any], sha256: str) -> list[str]:
    where = paper["table4"]["where"]
    notes = [
        f"Published: {paper['source']}, {where}; {paper['labels']}.",
        "Yes where at least two of three pieces were answered yes; intervals by patient, 95 %, "
        "from ten patients on.",
    ]
    if score["simulated"]:
        notes.insert(0, "SIMULATED READERS: a rehearsal; no person has answered.")
    asked = sum(row["pages"] for row in score["readers"][:1])
    about = f"Ours: study {score['study']}, cohort {score['cohort']}, {score['patients']} patients"
    about += ", phantoms" if score["synthetic"] else ""
    notes.append(f"{about}, {asked} pages a reader{f', file {sha256[:12]}' if sha256 else ''}.")
    return notes + _against_foils(score["foils"])


def _against_foils(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say beside the figures what the same readers said of foils: their cheapest opponent."""
    said = [
        f"{row['arm']}, reader {row['reader']}, {row['question']}: {row['real']:.2f} of real "
        f"pieces and {row['false']:.2f} of foils ({row['verdict']})"
        for row in rows
        if row["foil"] == _TOTAL and isinstance(row["reader"], int) and row["real"] is not None
    ]
    return [f"Yes to {'; '.join(said)}."] if said else []


def study_pictures(item: Stored) -> list[Path]:
    """Return the pictures of figure 8 that lie beside a scored study."""
    names = [str(name) for name in item.content.get("figure8", ())]
    paths = [item.path.parent / name for name in names if Path(name).name == name]
    return [path for path in paths if path.is_file()]
