"""Scores of a study in the text format of iMRMC, the FDA's program for reader studies."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.study.reading_gain import SUSPICION, is_fractured
from spinexplain.study.tally import Page, Tally, numbers, page_shares


@dataclass(frozen=True)
class Scored:
    """One score: who, of which case, under which condition, how high.

    Parameters
    ----------
    reader, case : int
        Both from 1: programs that read the format want whole numbers.
    modality : str
    score : float
    """

    reader: int
    case: int
    modality: str
    score: float


def imrmc_text(title: str, truth: dict[int, bool], scores: Sequence[Scored]) -> str:
    """Write scores for iMRMC.

    Parameters
    ----------
    title : str
    truth : dict of int to bool
        Case to whether it is positive.
    scores : sequence of Scored

    Examples
    --------
    >>> print(imrmc_text("t", {1: False, 2: True}, [Scored(1, 1, "A", 0.5), Scored(1, 2, "A", 1)]))
    t
    NR: 1
    N0: 1
    N1: 1
    NM: 1
    BEGIN DATA:
    -1,1,0,0
    -1,2,0,1
    1,1,A,0.5
    1,2,A,1
    <BLANKLINE>
    """
    positives = sum(truth.values())
    lines = [
        " ".join(title.split()),
        f"NR: {len({one.reader for one in scores})}",
        f"N0: {len(truth) - positives}",
        f"N1: {positives}",
        f"NM: {len({one.modality for one in scores})}",
        "BEGIN DATA:",
        *(f"-1,{case},0,{int(positive)}" for case, positive in truth.items()),
        *(f"{one.reader},{one.case},{_word(one.modality)},{one.score:g}" for one in scores),
    ]
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    return text.replace(",", " ").strip() or "none"


def imrmc_files(found: Tally) -> dict[str, str]:
    """Return the files of a study by name, each with a key of its cases beside it.

    Returns
    -------
    dict of str to str
        ``imrmc-foils_QUESTION.txt``: a case is a page, positive where its evidence is real,
        scored by the share of its pieces that were answered yes, modalities are the arms.
        ``imrmc-reading.txt``: a case is a vertebra, positive where it is fractured, scored by
        ``suspicion``, modalities are unaided and aided, or the arms where there are several.
        ``..._cases.csv`` names patient and level of each case, for clustering.
    """
    files: dict[str, str] = {}
    for question in found.study.questions:
        if question.kind == "yes_no" and question.of == "piece":
            pages = [page for page in found.pages if page.real or page.foil]
            shares = page_shares(found, question)
            name = f"imrmc-foils_{question.key}"
            files |= _foils(name, found, pages, shares)
    suspicion = found.study.question(SUSPICION)
    if suspicion is not None and any(page.stage == "unaided" for page in found.pages):
        files |= _reading(found, numbers(found, suspicion))
    return files


def _foils(name: str, found: Tally, pages: Sequence[Page], shares: np.ndarray) -> dict[str, str]:
    rows = {page.item: row for row, page in enumerate(found.pages)}
    truth = {case: page.real for case, page in enumerate(pages, start=1)}
    scores = [
        Scored(reader, case, page.arm, float(shares[rows[page.item], column]))
        for column, reader in enumerate(found.readers)
        for case, page in enumerate(pages, start=1)
    ]
    return _both(name, f"{found.study.title}, real evidence against foils", truth, scores, pages)


def _reading(found: Tally, scores_of: np.ndarray) -> dict[str, str]:
    pages = [page for page in found.pages if page.stage == "unaided"]
    number = {page.case: case for case, page in enumerate(pages, start=1)}
    truth = {case: is_fractured(page) for case, page in enumerate(pages, start=1)}
    several = len({page.arm for page in found.pages if page.real}) > 1
    scores = [
        Scored(reader, number[page.case], _modality(page, several), float(scores_of[row, column]))
        for column, reader in enumerate(found.readers)
        for row, page in enumerate(found.pages)
        if page.case in number and (page.real or page.stage == "unaided")
    ]
    title = f"{found.study.title}, reading without and with evidence"
    return _both("imrmc-reading", title, truth, scores, pages)


def _modality(page: Page, several: bool) -> str:
    """Name a way of reading: unaided, aided, or of several arms the arm."""
    return page.arm if several and page.stage == "aided" else page.stage


def _both(
    name: str, title: str, truth: dict[int, bool], scores: Sequence[Scored], pages: Sequence[Page]
) -> dict[str, str]:
    given = [one for one in scores if np.isfinite(one.score)]
    if not given:
        return {}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["case", "item", "patient", "vertebra", "grade", "arm", "foil"])
    for case, page in enumerate(pages, start=1):
        writer.writerow([case, page.item, page.subject, page.case, page.grade, page.arm, page.foil])
    return {f"{name}.txt": imrmc_text(title, truth, given), f"{name}_cases.csv": stream.getvalue()}
