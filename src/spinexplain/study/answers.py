"""Answers of readers: checked, kept file by file, never overwritten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import kept_folder, unreadable
from spinexplain.io.json_file import write_json
from spinexplain.study.asking import Question, Value, parse_answer
from spinexplain.study.record import ANSWERS, Study

ANSWERS_SCHEMA = "spinexplain/study-answers/1"
Place = tuple[str, int, str]
"""What an answer belongs to: item, piece (0 for the item as a whole), key of the question."""


class Answer(BaseModel):
    """One answer.

    Parameters
    ----------
    item : str
    piece : int
        From 1; 0 where the question is of the item as a whole.
    question : str
    value : str or float
    at : str
        When, ISO 8601 in UTC; of paper, when it was typed in.
    seconds : float, optional
        From when the item was shown until it was answered, while the page was in front.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str
    piece: int = Field(default=0, ge=0)
    question: str
    value: Value
    at: str
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    @property
    def place(self) -> Place:
        """What it belongs to."""
        return (self.item, self.piece, self.question)


class AnswerFile(BaseModel):
    """Answers of one reader from one source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["spinexplain/study-answers/1"] = Field(
        default="spinexplain/study-answers/1", alias="schema"
    )
    study: str
    reader: int = Field(ge=1)
    source: Literal["app", "paper", "simulated"]
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Done:
    """How far a reader is: items with all required answers, and items in all."""

    reader: int
    finished: int
    items: int


def read_answer_file(path: Path, study: Study) -> AnswerFile:
    """Read answers that the app exported or this package stored, and check every one.

    Raises
    ------
    FileFormatError
        If the file is broken.
    ConfigError
        If it is of another study, or holds an answer to what was not asked.
    """
    try:
        found = AnswerFile.model_validate_json(path.read_text("utf-8-sig"))
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError:
        raise FileFormatError(
            f"{path}: is not UTF-8; expected answers that the reader exported. Export them again; "
            "nothing was stored."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FileFormatError(
            f"{path}: {place}: {first['msg']}; expected answers that the reader exported "
            f"({ANSWERS_SCHEMA}). Export them again; nothing was stored."
        ) from None
    check_answers(found, study, str(path))
    return found


def check_answers(found: AnswerFile, study: Study, source: str) -> None:
    """Refuse answers of another study, reader or question.

    Raises
    ------
    ConfigError
    """
    if found.study != study.id:
        raise ConfigError(
            f"{source}: these answers are of study {found.study}; this one is {study.id}. Answers "
            "to other pictures, or of another model, do not count here; nothing was stored."
        )
    study.plan(found.reader)
    asked = questions_by_place(study)
    for answer in found.answers:
        question = asked.get(answer.place)
        if question is None or not _fits(question, answer.value):
            expected = "no such question" if question is None else question.allowed
            raise ConfigError(
                f"{source}: item {answer.item}, piece {answer.piece}, {answer.question}: "
                f"{answer.value!r}; expected {expected}. Nothing was stored."
            )


def _fits(question: Question, value: Value) -> bool:
    text = f"{value:g}" if isinstance(value, float) else value
    try:
        return parse_answer(question, text) == value
    except ValueError:
        return False


def questions_by_place(study: Study) -> dict[Place, Question]:
    """Return everything that is asked in a study."""
    return {
        (item.id, piece, question.key): question
        for item in study.items
        for piece, question in study.asked(item)
    }


def store_answers(folder: Path, found: AnswerFile) -> Path | None:
    """Keep a file of answers beside those that are there.

    Returns
    -------
    Path or None
        None where the very same answers are there already.
    """
    text = found.model_dump_json(by_alias=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    kept = kept_folder(folder / ANSWERS)
    path = kept / f"reader-{found.reader}_{found.source}_{digest}.json"
    if path.exists():
        return None
    write_json(path, found.model_dump(mode="json", by_alias=True))
    return path


def read_answers(folder: Path, study: Study) -> tuple[AnswerFile, ...]:
    """Read all answers that were added to a study.

    Raises
    ------
    SpinexplainError
        If a file among them is broken or of another study.
    """
    paths = sorted((folder / ANSWERS).glob("*.json"))
    return tuple(read_answer_file(path, study) for path in paths)


def latest(files: Iterable[AnswerFile], reader: int) -> dict[Place, Answer]:
    """Return a reader's last word on everything; what was said before stays in the files."""
    said: dict[Place, Answer] = {}
    for answer in (one for file in files if file.reader == reader for one in file.answers):
        before = said.get(answer.place)
        if before is None or before.at <= answer.at:
            said[answer.place] = answer
    return said


def progress_of(study: Study, files: Sequence[AnswerFile]) -> list[Done]:
    """Count the items that each reader has finished."""
    found = []
    for plan in study.readers:
        said = latest(files, plan.number)
        items = [item for session in plan.sessions for item in session]
        finished = sum(is_finished(study, item, set(said)) for item in items)
        found.append(Done(plan.number, finished, len(items)))
    return found


def is_finished(study: Study, item_id: str, said: set[Place]) -> bool:
    """Whether every required question of an item is answered."""
    asked = study.asked(study.item(item_id))
    return all((item_id, piece, q.key) in said for piece, q in asked if q.required)
