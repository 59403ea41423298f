"""What a study shows: ProtoVerse's table 4, agreement, real evidence against foils, arms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spinexplain.errors import ConfigError
from spinexplain.evaluate.agreement import agreement_of
from spinexplain.evaluate.bootstrap import DRAWS, Interval, weighted_bootstrap
from spinexplain.study.answers import AnswerFile, progress_of
from spinexplain.study.asking import Question
from spinexplain.study.comparisons import (
    ONE_ANSWER,
    arm_rows,
    foil_rows,
    interval_content,
    right_rows,
)
from spinexplain.study.outlook import power_rows
from spinexplain.study.pools import ALL, alike, pools
from spinexplain.study.reading_gain import reading_figures
from spinexplain.study.record import Key, Study
from spinexplain.study.tally import (
    Page,
    Tally,
    page_answers,
    piece_answers,
    tally,
)
from spinexplain.study.unit_words import unit_rows

SCORE_SCHEMA = "spinexplain/study-score/1"


def score_study(
    study: Study, key: Key, files: Sequence[AnswerFile], seed: int = 0, draws: int = DRAWS
) -> dict[str, Any]:
    """Score a study from whatever answers there are.

    Parameters
    ----------
    study : Study
    key : Key
    files : sequence of AnswerFile
    seed : int
        Of intervals and simulated studies.
    draws : int
        Of the bootstrap by patient.

    Returns
    -------
    dict
        JSON-ready, schema ``spinexplain/study-score/1``.

    Raises
    ------
    ConfigError
        If nobody answered anything, or simulated readers stand beside people.
    """
    simulated = _checked_sources(files)
    found = tally(study, key, files)
    yes_no = [q for q in study.questions if q.kind == "yes_no" and q.of == "piece"]
    foils = [row for q in yes_no for row in foil_rows(found, q, seed, draws)]
    return {
        "schema": SCORE_SCHEMA,
        "study": study.id,
        "title": study.title,
        "kind": study.kind,
        "design": study.design,
        "synthetic": study.synthetic,
        "simulated": simulated,
        "cohort": key.cohort,
        "split": key.split,
        "command": key.command,
        "top": key.top,
        "arms": {name: arm.model_dump() for name, arm in key.arms.items()},
        "questions": [question.model_dump(mode="json") for question in study.questions],
        "patients": len({page.subject for page in found.pages}),
        "readers": reader_rows(found, study, files),
        "table4": [row for q in yes_no for row in table4_rows(found, q, seed, draws)],
        "agreement": agreement_rows(found, seed, draws),
        "repeats": repeat_rows(found, seed, draws),
        "foils": foils,
        "arms_compared": [row for q in yes_no for row in arm_rows(found, q, seed, draws)],
        "right_or_wrong": [row for q in yes_no for row in right_rows(found, q, seed, draws)],
        "reading": reading_figures(found, seed, draws),
        "units": unit_rows(found, key) if study.kind == "units" else [],
        "power": power_rows(found, yes_no, foils, seed),
    }


def _checked_sources(files: Sequence[AnswerFile]) -> bool:
    kinds = {file.source == "simulated" for file in files if file.answers}
    if not kinds:
        raise ConfigError(
            "nobody has answered anything yet; expected at least one sheet or export. Add some "
            "with study add."
        )
    if len(kinds) > 1:
        raise ConfigError(
            "answers of simulated readers stand beside those of people; expected one kind. Move "
            "the files answers/*_simulated_* away."
        )
    return kinds.pop()


def reader_rows(found: Tally, study: Study, files: Sequence[AnswerFile]) -> list[dict[str, Any]]:
    """Say how far each reader came, how long a page took, and what makes their answers void."""
    rows = []
    for done in progress_of(study, files):
        times = list(found.seconds.get(done.reader, {}).values())
        rows.append(
            {
                "reader": done.reader,
                "finished": done.finished,
                "pages": done.items,
                "median_seconds": round(float(np.median(times)), 1) if times else None,
                "notes": _same_answers(found, done.reader),
            }
        )
    return rows


def _same_answers(found: Tally, reader: int) -> list[str]:
    """Name the questions that a reader answered alike throughout."""
    notes = []
    both = "" if all(page.real for page in found.pages) else ", real and false alike"
    for question in found.study.questions:
        constant = alike(found, question) if question.kind == "yes_no" else {}
        if reader in constant:
            value, count = constant[reader]
            notes.append(f"{question.key}: {value} to all {count}{both}: uninformative")
    return notes


def table4_rows(
    found: Tally, question: Question, seed: int, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """Return the share of pages with yes by arm, reader and grade, two of three pieces."""
    answers = page_answers(found, question)
    rows = []
    arms = dict.fromkeys(page.arm for page in found.pages if page.real)
    for arm in arms:
        grades = sorted({p.grade for p in found.pages if p.real and p.role == "asked"})
        for column, reader in enumerate(found.readers):
            planned = {name for one in found.study.plan(reader).sessions for name in one}
            for grade in (*grades, ALL):
                chosen = found.where(_asked_about(arm, grade))
                values = answers[chosen, column]
                rows.append(
                    {
                        "arm": arm,
                        "question": question.key,
                        "reader": reader,
                        "grade": grade,
                        "pages": int(np.isfinite(values).sum()),
                        "asked": sum(found.pages[row].item in planned for row in chosen),
                        "share": _mean(values, found.subjects(chosen), seed, draws),
                    }
                )
    return rows


def agreement_rows(found: Tally, seed: int, draws: int = DRAWS) -> list[dict[str, Any]]:
    """Return how far readers agree on every question with categories, on all pages.

    Repeats are left out: the same page would count twice.
    """
    if len(found.readers) < 2:
        return []
    rows: list[dict[str, Any]] = []
    everybody = list(range(len(found.readers)))
    first = found.where(lambda page: not page.repeat_of)
    for question in found.study.questions:
        count = len(question.categories)
        if not count:
            continue
        per_piece = piece_answers(found, question)[first] if question.of == "piece" else None
        pages, owners = page_answers(found, question)[first], found.subjects(first)
        yes_no = question.kind == "yes_no"
        for name, columns in pools(found, question) if yes_no else [(ALL, everybody)]:
            if len(columns) < 2:
                continue
            if per_piece is not None:
                flat = per_piece[:, :, columns].reshape(-1, len(columns))
                of_pieces = np.repeat(owners, per_piece.shape[1])
                row = _agreement_row(question, "piece", flat, of_pieces, seed, draws)
                rows.append({"reader": name, **row})
            row = _agreement_row(question, "page", pages[:, columns], owners, seed, draws)
            rows.append({"reader": name, **row})
    return rows


def _agreement_row(
    question: Question,
    per: str,
    ratings: np.ndarray,
    owners: np.ndarray,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    weights = "quadratic" if question.ordered else "identity"
    result = agreement_of(ratings, len(question.categories), owners, weights, seed, draws)
    return {
        "question": question.key,
        "per": per,
        "items": result.items,
        "raters": result.raters,
        "weights": weights,
        "note": result.note,
        **{name: interval_content(interval) for name, interval in result.figures.items()},
    }


def repeat_rows(found: Tally, seed: int, draws: int = DRAWS) -> list[dict[str, Any]]:
    """Return how far each reader agrees with themselves on pages shown twice."""
    place = {page.item: row for row, page in enumerate(found.pages)}
    second = found.where(lambda page: bool(page.repeat_of))
    first = np.array([place[found.pages[row].repeat_of] for row in second], int)
    rows = []
    for question in found.study.questions:
        if not question.categories or not len(second):
            continue
        per_piece = question.of == "piece"
        values = piece_answers(found, question) if per_piece else page_answers(found, question)
        for column, reader in enumerate(found.readers):
            both = np.stack(
                [values[rows_of][..., column].ravel() for rows_of in (first, second)], axis=1
            )
            owners = np.repeat(found.subjects(second), values.shape[1] if per_piece else 1)
            per = "piece" if per_piece else "page"
            row = _agreement_row(question, per, both, owners, seed, draws)
            note = _self_note(both) or row["note"]
            rows.append({"reader": reader, **row, "note": note})
    return rows


def _self_note(both: np.ndarray) -> str:
    """Say what makes a reader's agreement with themselves say little, (n, 2): first, again."""
    known = both[np.isfinite(both).all(axis=1)]
    if not len(known):
        return ""
    if len(np.unique(known)) == 1:
        return "one answer to all, both times: kappa is undefined, and AC1 and AC2 say nothing"
    if any(len(np.unique(one)) == 1 for one in known.T):
        return "one answer to all, one of the two times: Cohen's kappa is 0 whatever the other was"
    return ""


def _asked_about(arm: str, grade: str) -> Callable[[Page], bool]:
    def wanted(page: Page) -> bool:
        return page.real and page.role == "asked" and page.arm == arm and grade in (page.grade, ALL)

    return wanted


def _mean(values: np.ndarray, owners: np.ndarray, seed: int, draws: int) -> dict[str, Any]:
    known = np.isfinite(values)
    if not known.any():
        return interval_content(Interval(float("nan"), float("nan"), float("nan"), "no answers"))
    kept = values[known]
    if len(np.unique(kept)) == 1:  # drawn again it is always the same, which is no certainty
        return interval_content(Interval(float(kept[0]), float("nan"), float("nan"), ONE_ANSWER))
    return interval_content(
        weighted_bootstrap(lambda rows: rows @ kept / rows.sum(axis=1), owners[known], seed, draws)
    )
