"""A table of figures, ours beside the published ones, as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One row: who says so, its name, and the cells as text."""

    origin: str
    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table with everything that must be said about it.

    Parameters
    ----------
    key : str
        File name without ending, e.g. ``"protoverse-table2"``.
    title : str
    columns : tuple of str
    rows : tuple of Row
    notes : tuple of str
        Printed under the table, every one.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def cell(value: float | None, sd: float | None = None, digits: int = 1) -> str:
    """Write a figure and its standard deviation as a table's cell.

    Examples
    --------
    >>> cell(-1.25, 0.5, 2), cell(None)
    ('−1.25 ± 0.50', '–')
    """
    if value is None:
        return "\N{EN DASH}"
    text = f"{value:.{digits}f}" + (f" ± {sd:.{digits}f}" if sd is not None else "")
    return text.replace("-", "\N{MINUS SIGN}")


def fold_cell(entry: Mapping[str, Any], key: str) -> str:
    """Write an entry's mean over folds in percent, with its spread if there are several folds.

    Examples
    --------
    >>> fold_cell({"mean": {"f1": 0.5}, "sd": {"f1": None}}, "f1")
    '50.0'
    """
    sd = entry["sd"][key]
    return cell(100 * entry["mean"][key], None if sd is None else 100 * sd)


def markdown(table: Table) -> str:
    r"""Write a table as Markdown, with its notes.

    Examples
    --------
    >>> print(markdown(Table("t", "T", ("F1",), (Row("ours", "a|b", ("1.0",)),), ("n",))))
    ### T
    <BLANKLINE>
    | | | F1 |
    |---|---|---|
    | ours | a\|b | 1.0 |
    <BLANKLINE>
    *n*
    <BLANKLINE>
    """
    head = ["", "", *table.columns]
    lines = [_line(head), _line(["---"] * len(head), "").replace(" ", "")]
    lines += [_line([row.origin, row.name, *row.cells]) for row in table.rows]
    notes = [f"*{note}*" for note in table.notes]
    return "\n".join([f"### {table.title}", "", *lines, "", *notes, ""])


def _line(cells: list[str], pad: str = " ") -> str:
    shown = [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]
    return "|" + "|".join(f"{pad}{cell}{pad}" if cell else pad for cell in shown) + "|"


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "\N{MINUS SIGN}": r"$-$",
    "\N{EN DASH}": "--",
}


def latex(table: Table) -> str:
    r"""Write a table as LaTeX (booktabs), nothing in it taken for a command.

    Examples
    --------
    >>> text = latex(Table("t", "T", ("F1 (%)",), (Row("ours", "a_b", ("1",)),), ()))
    >>> r"F1 (\%)" in text, r"a\_b" in text
    (True, True)
    """
    columns = "ll" + "r" * len(table.columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(' '.join([table.title + '.', *table.notes]))}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(["", "", *map(latex_text, table.columns)]) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        cells = [latex_text(cell) for cell in (row.origin, row.name, *row.cells)]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def latex_text(text: str) -> str:
    """Write text so that LaTeX prints it as it is."""
    return "".join(_LATEX.get(char, char) for char in text)
