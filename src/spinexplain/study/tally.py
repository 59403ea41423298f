"""Answers beside the truth: which page was what, and who said what to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.study.answers import AnswerFile, Place, latest
from spinexplain.study.asking import Question, Value
from spinexplain.study.record import Key, Study


@dataclass(frozen=True)
class Page:
    """An item and what it really is.

    Parameters
    ----------
    item, case, arm, foil, repeat_of, stage : str
        As in the study and its key.
    subject, grade, role : str
        Of the vertebra; a unit is its own subject and has no grade.
    right : bool
        Whether the arm's model calls the vertebra what it is.
    pieces : int
    """

    item: str
    case: str
    arm: str
    foil: str
    repeat_of: str
    stage: str
    subject: str
    grade: str
    role: str
    right: bool
    pieces: int

    @property
    def real(self) -> bool:
        """Whether it shows real evidence for the first time."""
        return self.stage == "aided" and not self.foil and not self.repeat_of


@dataclass(frozen=True, eq=False)
class Tally:
    """All pages and all last words.

    Parameters
    ----------
    study : Study
    pages : tuple of Page
        In the order of the study.
    readers : tuple of int
        Who answered anything.
    said : dict
        Reader, then place, to the answer.
    seconds : dict
        Reader, then item, to the time its last answer came after it was shown.
    """

    study: Study
    pages: tuple[Page, ...]
    readers: tuple[int, ...]
    said: dict[int, dict[Place, Value]]
    seconds: dict[int, dict[str, float]]

    def where(self, wanted: Callable[[Page], bool]) -> np.ndarray:
        """Return the places of pages in :attr:`pages`."""
        return np.flatnonzero([wanted(page) for page in self.pages])

    def subjects(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return whose pages these are, ndarray of str."""
        return np.array([self.pages[row].subject for row in rows], dtype=str)


def tally(study: Study, key: Key, files: Sequence[AnswerFile]) -> Tally:
    """Put answers and truth side by side."""
    readers = tuple(sorted({file.reader for file in files if file.answers}))
    last = {reader: latest(files, reader) for reader in readers}
    seconds: dict[int, dict[str, float]] = {reader: {} for reader in readers}
    for reader, answers in last.items():
        for answer in answers.values():
            if answer.seconds is not None:
                before = seconds[reader].get(answer.item, 0.0)
                seconds[reader][answer.item] = max(before, answer.seconds)
    said = {
        reader: {place: answer.value for place, answer in answers.items()}
        for reader, answers in last.items()
    }
    pages = tuple(_page(study, key, item.id) for item in study.items)
    return Tally(study, pages, readers, said, seconds)


def _page(study: Study, key: Key, item_id: str) -> Page:
    item, known = study.item(item_id), key.items[item_id]
    case = key.cases.get(known.case)
    called = "" if case is None else case.model_grades.get(known.arm, "")
    return Page(
        item=item_id,
        case=known.case,
        arm=known.arm,
        foil=known.foil,
        repeat_of=known.repeat_of,
        stage=item.stage,
        subject=known.case if case is None else case.subject,
        grade="" if case is None else case.grade,
        role="asked" if case is None else case.role,
        right=case is not None and _means(called, case.grade),
        pieces=len(item.pieces),
    )


def _means(called: str, grade: str) -> bool:
    """Whether a class stands for a grade, of graders and of detectors.

    Examples
    --------
    >>> _means("G2", "G2"), _means("fracture", "G3"), _means("fracture", "G0")
    (True, True, False)
    """
    if called in ("fracture", "no fracture"):
        return (called == "fracture") == (grade in ("G2", "G3"))
    return called == grade


def needed(pieces: int) -> int:
    """Return how many of a page's pieces must be answered yes for the page to count as yes.

    Two of three (ProtoVerse, section 5.5), and the same share of other numbers.

    Examples
    --------
    >>> [needed(pieces) for pieces in (1, 2, 3, 5)]
    [1, 2, 2, 4]
    """
    return -(-2 * pieces // 3)


def page_answers(found: Tally, question: Question) -> np.ndarray:
    """Return each page's answer by each reader as the number of a category.

    Parameters
    ----------
    found : Tally
    question : Question
        With categories. Of a question about pieces, the page is yes where at least
        :func:`needed` of them are.

    Returns
    -------
    ndarray of float, shape (pages, readers)
        NaN where it was not asked, or not answered for every piece.
    """
    if question.of == "item":
        return _coded(found, question, 0)
    pieces = piece_answers(found, question)
    asked = _asked(found, question)
    with np.errstate(invalid="ignore"):
        yes = np.nansum(pieces, axis=1)
    complete = np.isfinite(pieces).sum(axis=1) == asked[:, None]
    least = np.array([needed(count) for count in asked])[:, None]
    return np.where(complete & (asked[:, None] > 0), yes >= least, np.nan)


def page_shares(found: Tally, question: Question) -> np.ndarray:
    """Return the share of a page's pieces that each reader answered yes, (pages, readers)."""
    pieces = piece_answers(found, question)
    known = np.isfinite(pieces)
    counts = known.sum(axis=1)
    yes = np.where(known, pieces, 0).sum(axis=1)
    return np.where(counts > 0, yes / np.where(counts > 0, counts, 1), np.nan)


def piece_answers(found: Tally, question: Question) -> np.ndarray:
    """Return the answers to a question about pieces, float (pages, pieces, readers)."""
    most = max((page.pieces for page in found.pages), default=0)
    return np.stack(
        [_coded(found, question, piece) for piece in range(1, most + 1)]
        or [np.full((len(found.pages), len(found.readers)), np.nan)],
        axis=1,
    )


def _coded(found: Tally, question: Question, piece: int) -> np.ndarray:
    codes = {name: float(k) for k, name in enumerate(question.categories)}
    rows = [
        [
            _code(found.said[reader].get((page.item, piece, question.key)), codes)
            for reader in found.readers
        ]
        for page in found.pages
    ]
    return np.array(rows, float).reshape(len(found.pages), len(found.readers))


def _code(value: Value | None, codes: dict[str, float]) -> float:
    if value is None:
        return np.nan
    text = f"{value:g}" if isinstance(value, float) else value
    return codes.get(text, np.nan)


def numbers(found: Tally, question: Question) -> np.ndarray:
    """Return the answers to a scale as numbers, float (pages, readers); NaN where none."""
    rows = [
        [found.said[reader].get((page.item, 0, question.key), np.nan) for reader in found.readers]
        for page in found.pages
    ]
    return np.array(rows, float).reshape(len(found.pages), len(found.readers))


def _asked(found: Tally, question: Question) -> np.ndarray:
    return np.array(
        [
            sum(q.key == question.key for _, q in found.study.asked(found.study.item(page.item)))
            for page in found.pages
        ]
    )
