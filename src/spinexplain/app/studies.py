"""Reader studies in the app: what is shown, who takes part, what was answered."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spinexplain.app.database import Database, utc_now
from spinexplain.app.folder import DataFolder
from spinexplain.app.schema import StudyAnswer, StudyReader, StudyRow
from spinexplain.errors import ConfigError
from spinexplain.io.files import output_folder
from spinexplain.study.answers import Answer, AnswerFile, Place, check_answers, is_finished, latest
from spinexplain.study.asking import parse_answer
from spinexplain.study.paper import check_pictures
from spinexplain.study.record import PICTURES, REVEAL_FILE, STUDY_FILE, Study, read_study

REVEALED = "revealed"


class ClosedPageError(Exception):
    """The page takes no further answer."""


@dataclass(frozen=True)
class Position:
    """Where a reader is in a study.

    Parameters
    ----------
    pages : tuple of str
        Items in their order, all sessions.
    finished : frozenset of str
    next_page : int or None
        From 1; None where all that can be answered is answered.
    opens_on : str
        Date from which the next session may begin; empty where nothing is waited for.
    """

    pages: tuple[str, ...]
    finished: frozenset[str]
    next_page: int | None
    opens_on: str = ""


def study_folder(folder: DataFolder, study_id: str) -> Path:
    """Return where the server keeps a study's pages."""
    return folder.root / "studies" / study_id


def add_study(database: Database, folder: DataFolder, source: Path) -> str:
    """Take a study in: its pages, not its key, which stays where it was made.

    Raises
    ------
    SpinexplainError
        If it is no study, or pictures are gone.
    """
    study = read_study(source)
    check_pictures(source, study)
    place = study_folder(folder, study.id)
    if not place.exists():
        with output_folder(place) as made:
            for name in (STUDY_FILE, REVEAL_FILE):
                shutil.copyfile(source / name, made / name)
            shutil.copytree(source / PICTURES, made / PICTURES)
    with database.writing() as session:
        if session.get(StudyRow, study.id) is None:
            session.add(StudyRow(id=study.id, title=study.title[:200], added_at=utc_now()))
    return study.id


def shown_study(folder: DataFolder, study_id: str) -> Study:
    """Read the pages of a study that the server keeps."""
    return _read(study_folder(folder, study_id))


@lru_cache(maxsize=16)
def _read(place: Path) -> Study:
    return read_study(place)


def join(session: Session, study: Study, account_id: int) -> int:
    """Make an account the next reader of a study, and return its number.

    Raises
    ------
    ConfigError
        If all of the study's readers are there.
    """
    known = session.get(StudyReader, (study.id, account_id))
    if known is not None:
        return known.number
    count = select(func.count()).select_from(StudyReader).where(StudyReader.study_id == study.id)
    number = int(session.scalar(count) or 0) + 1
    if number > len(study.readers):
        raise ConfigError(
            f"the study has {len(study.readers)} readers and all are there; expected a free "
            "place. Create a study with more --readers."
        )
    session.add(StudyReader(study_id=study.id, account_id=account_id, number=number))
    session.flush()
    return number


def answers_of(session: Session, study: Study, number: int, account_id: int) -> AnswerFile:
    """Return everything that a reader answered, in order."""
    rows = _rows(session, study.id, account_id)
    return AnswerFile(
        study=study.id,
        reader=number,
        source="app",
        answers=tuple(
            Answer(
                item=row.item,
                piece=row.piece,
                question=row.question,
                value=row.value,
                at=row.at,
                seconds=row.seconds,
            )
            for row in rows
            if row.question != REVEALED
        ),
    )


def revealed_items(session: Session, study_id: str, account_id: int) -> set[str]:
    """Return the items of which the reader has seen what the software suggests."""
    rows = _rows(session, study_id, account_id)
    return {row.item for row in rows if row.question == REVEALED}


def _rows(session: Session, study_id: str, account_id: int) -> list[StudyAnswer]:
    return list(
        session.scalars(
            select(StudyAnswer)
            .where(StudyAnswer.study_id == study_id, StudyAnswer.account_id == account_id)
            .order_by(StudyAnswer.id)
        )
    )


def position_of(study: Study, found: AnswerFile, now: datetime | None = None) -> Position:
    """Say where a reader is: the first unfinished page, or the day the next session opens."""
    said = set(latest([found], found.reader))
    sessions = study.plan(found.reader).sessions
    pages = tuple(item for session in sessions for item in session)
    finished = frozenset(item for item in pages if is_finished(study, item, said))
    place = next((k for k, item in enumerate(pages) if item not in finished), None)
    if place is None:
        return Position(pages, finished, None)
    opens = _opens(study, found, place, now or datetime.now(UTC))
    return Position(pages, finished, None if opens else place + 1, opens)


def _opens(study: Study, found: AnswerFile, place: int, now: datetime) -> str:
    """Return the date on which the session that begins at ``place`` opens, if that is later."""
    starts, total = [], 0
    sessions = study.plan(found.reader).sessions
    for session in sessions:
        starts.append(total)
        total += len(session)
    if place == 0 or place not in starts or not study.washout_days:
        return ""
    before = {item for session in sessions[: starts.index(place)] for item in session}
    last = max((a.at for a in found.answers if a.item in before), default="")
    if not last:
        return ""
    opens = datetime.fromisoformat(last.replace("Z", "+00:00")) + timedelta(days=study.washout_days)
    return opens.date().isoformat() if now < opens else ""


def append_answer(
    session: Session,
    study: Study,
    number: int,
    account_id: int,
    page: int,
    place: Place,
    text: str,
    seconds: float | None,
) -> str | float:
    """Store an answer and return it as it is understood.

    Raises
    ------
    ConfigError
        If it is no answer to what was asked.
    ClosedPageError
        If the page is further on than the reader is, was read without evidence and is
        finished, or its suggestion was seen.
    """
    found = answers_of(session, study, number, account_id)
    position = position_of(study, found)
    item, piece, key = place
    _check_open(session, study, position, page, item, account_id)
    question = next(
        (q for at, q in study.asked(study.item(item)) if (at, q.key) == (piece, key)), None
    )
    try:
        value = None if question is None else parse_answer(question, text)
    except ValueError:
        value = None
    if value is None:
        expected = "a question of the page" if question is None else question.allowed
        raise ConfigError(f"the answer is {text[:80]!r}; expected {expected}.")
    answer = Answer(
        item=item, piece=piece, question=key, value=value, at=utc_now(), seconds=seconds
    )
    one = AnswerFile(study=study.id, reader=number, source="app", answers=(answer,))
    check_answers(one, study, "the answer")
    session.add(
        StudyAnswer(
            study_id=study.id,
            account_id=account_id,
            item=item,
            piece=piece,
            question=key,
            value=value,
            seconds=seconds,
            at=answer.at,
        )
    )
    return value


def _check_open(
    session: Session, study: Study, position: Position, page: int, item: str, account_id: int
) -> None:
    if not 0 < page <= len(position.pages) or position.pages[page - 1] != item:
        raise ClosedPageError("There is no such page.")
    if not reachable(position, page):
        raise ClosedPageError("Answer the pages before this one first.")
    if item in position.finished and study.item(item).stage == "unaided":
        raise ClosedPageError("A page read without evidence stays as it was answered.")
    if item in revealed_items(session, study.id, account_id):
        raise ClosedPageError("The suggestion was shown; the answers to this page stay.")


def reachable(position: Position, page: int) -> bool:
    """Whether a reader may see a page: a finished one, or the next."""
    if not 0 < page <= len(position.pages):
        return False
    return position.pages[page - 1] in position.finished or page == position.next_page


def reveal(
    session: Session, folder: DataFolder, study: Study, item: str, account_id: int
) -> Mapping[str, Any]:
    """Return what the software suggests of an item, and close the item for good."""
    if item not in revealed_items(session, study.id, account_id):
        session.add(
            StudyAnswer(
                study_id=study.id,
                account_id=account_id,
                item=item,
                piece=0,
                question=REVEALED,
                value="",
                seconds=None,
                at=utc_now(),
            )
        )
    content = json.loads((study_folder(folder, study.id) / REVEAL_FILE).read_text("utf-8"))
    found: Mapping[str, Any] = content["items"].get(item, {})
    return found
