"""Whose answers are put together: all readers, and those who do not answer everything alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spinexplain.study.asking import Question, Value
from spinexplain.study.tally import Tally

ALL, INFORMATIVE = "all", "informative"


def alike(found: Tally, question: Question) -> dict[int, tuple[Value, int]]:
    """Return the readers who gave one answer to everything, with the answer and how often.

    Parameters
    ----------
    found : Tally
    question : Question
        Of yes or no; readers who answered it once or never are not judged.
    """
    every = {}
    for reader in found.readers:
        said = [v for (_, _, key), v in found.said[reader].items() if key == question.key]
        if len(said) > 1 and len(set(said)) == 1:
            every[reader] = (said[0], len(said))
    return every


def pools(found: Tally, question: Question) -> list[tuple[str, list[int]]]:
    """Return which readers are put together, as columns of the answers.

    Returns
    -------
    list of (str, list of int)
        ``"informative"`` first, without the readers who answer everything alike, where there are
        such and others; then ``"all"``.
    """
    columns = list(range(len(found.readers)))
    without = alike(found, question)
    telling = [k for k in columns if found.readers[k] not in without]
    everybody = [(ALL, columns)]
    return everybody if telling in ([], columns) else [(INFORMATIVE, telling), *everybody]


def leading(rows: Sequence[dict[str, Any]], **wanted: Any) -> dict[str, Any] | None:
    """Return the pooled row that speaks: of the informative readers, else of all.

    Parameters
    ----------
    rows : sequence of dict
        With ``reader``.
    **wanted
        What else a row must hold.

    Examples
    --------
    >>> rows = [{"reader": "all", "foil": "all"}, {"reader": "informative", "foil": "all"}]
    >>> leading(rows, foil="all")["reader"]
    'informative'
    """
    fitting = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    for name in (INFORMATIVE, ALL):
        for row in fitting:
            if row["reader"] == name:
                return row
    return None
