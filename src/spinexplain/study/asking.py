"""The questions of a study: read from TOML, and answers in every way people write them."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import unreadable

Value = str | float
"""An answer as it is stored: "yes" or "no", an option, a number, or free text."""

LONGEST_TEXT = 2000
_NO_ANSWER = "no answer to this question"
_YES = {"yes", "y", "ja", "j", "oui", "si", "sí", "1", "1.0", "x", "true", "wahr", "✓", "✔"}
_NO = {"no", "n", "nein", "non", "0", "0.0", "false", "falsch", "✗"}


class Question(BaseModel):
    """One question of a study.

    Parameters
    ----------
    key : str
        Its name in files: letters, digits and underscores.
    text : str
        What the reader is asked.
    kind : {"yes_no", "choice", "scale", "text"}
    of : {"piece", "item"}
        Asked of every piece of evidence, or once of what is shown together.
    needs : {"any", "exemplar"}
        ``"exemplar"``: only where a training picture stands beside the test image.
    stage : {"any", "unaided", "aided"}
        Whether it is asked without the evidence, with it, or both times.
    options : tuple of str
        Of a choice, in their order.
    low, high : int
        Ends of a scale.
    low_text, high_text : str
    required : bool
        Whether an item without it is unfinished.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")
    text: str = Field(min_length=1, max_length=400)
    kind: Literal["yes_no", "choice", "scale", "text"]
    of: Literal["piece", "item"] = "item"
    needs: Literal["any", "exemplar"] = "any"
    stage: Literal["any", "unaided", "aided"] = "aided"
    options: tuple[str, ...] = ()
    low: int = 1
    high: int = 5
    low_text: str = ""
    high_text: str = ""
    required: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Question:
        if self.kind == "choice" and len(set(self.options)) < 2:
            raise ValueError("a choice needs at least two different options")
        if self.kind == "scale" and not 0 < self.high - self.low <= 1000:
            raise ValueError("a scale needs low below high, at most 1000 apart")
        return self

    @property
    def categories(self) -> tuple[str, ...]:
        """The answers in their order; empty where they are no few categories."""
        if self.kind == "yes_no":
            return ("no", "yes")
        if self.kind == "choice":
            return self.options
        if self.kind == "scale" and self.high - self.low <= 10:
            return tuple(str(number) for number in range(self.low, self.high + 1))
        return ()

    @property
    def ordered(self) -> bool:
        """Whether near misses count: on scales, and on grades."""
        grades = self.kind == "choice" and all(o.startswith("G") for o in self.options)
        return self.kind == "scale" or grades

    @property
    def allowed(self) -> str:
        """What an answer may be, in words."""
        if self.kind == "yes_no":
            return "yes or no"
        if self.kind == "choice":
            return "one of " + ", ".join(self.options)
        if self.kind == "scale":
            return f"a number from {self.low} to {self.high}"
        return f"a text of at most {LONGEST_TEXT} letters"


def parse_answer(question: Question, text: str) -> Value | None:
    """Read an answer as people and spreadsheets write it; None where there is none.

    Parameters
    ----------
    question : Question
    text : str
        "Ja", "x" and "1" are yes; "3,0" is three.

    Raises
    ------
    ValueError
        If it is no answer to the question.

    Examples
    --------
    >>> sure = Question(key="sure", text="How sure?", kind="scale")
    >>> parse_answer(sure, " 3,0 "), parse_answer(sure, "")
    (3.0, None)
    """
    written = text.strip()
    if not written or written in {"-", "\N{EN DASH}"}:
        return None
    if question.kind == "text":
        return _checked_text(written)
    if question.kind == "scale":
        return _checked_number(question, written)
    folded = written.casefold()
    if question.kind == "yes_no":
        if folded in _YES or folded in _NO:
            return "yes" if folded in _YES else "no"
        raise ValueError(_NO_ANSWER)
    known = {option.casefold(): option for option in question.options}
    if folded not in known:
        raise ValueError(_NO_ANSWER)
    return known[folded]


def _checked_text(written: str) -> str:
    if len(written) > LONGEST_TEXT:
        raise ValueError(_NO_ANSWER)
    return written


def _checked_number(question: Question, written: str) -> float:
    try:
        number = float(written.replace(",", ".").replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        raise ValueError(_NO_ANSWER) from None
    if not question.low <= number <= question.high or number != round(number):
        raise ValueError(_NO_ANSWER)
    return number


def read_questions(source: str | Path) -> tuple[Question, ...]:
    """Read the questions of a study.

    Parameters
    ----------
    source : str or Path
        ``"evidence"``, ``"reading"`` or ``"units"``, or a TOML file.

    Raises
    ------
    FileFormatError
        If it cannot be read.
    ConfigError
        If a question is wrong.

    Examples
    --------
    >>> [question.key for question in read_questions("evidence")]
    ['relevance', 'similarity', 'confidence', 'opinion']
    """
    text = _text_of(source)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileFormatError(f"{source}: is no TOML ({error}). Put the line right.") from None
    listed = content.get("question")
    if set(content) != {"question"} or not isinstance(listed, list) or not listed:
        raise ConfigError(
            f"{source}: holds {', '.join(content) or 'nothing'}; expected [[question]] sections "
            "and nothing else. Start from a copy of the built-in questions."
        )
    questions = tuple(_question(source, number, item) for number, item in enumerate(listed, 1))
    keys = [question.key for question in questions]
    if len(set(keys)) < len(keys):
        raise ConfigError(f"{source}: two questions have one key ({keys}). Rename one.")
    return questions


def _text_of(source: str | Path) -> str:
    folder = resources.files("spinexplain.study") / "questions"
    if isinstance(source, str) and source in ("evidence", "reading", "units"):
        return (folder / f"{source}.toml").read_text("utf-8")
    try:
        return Path(source).read_text("utf-8-sig")
    except OSError as error:
        raise unreadable(source, error) from None
    except UnicodeDecodeError:
        raise FileFormatError(f"{source}: is not UTF-8. Save it as UTF-8.") from None


def _question(source: str | Path, number: int, item: object) -> Question:
    try:
        return Question.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the question"
        raise ConfigError(
            f"{source}: question {number}: {place}: {first['msg']}. See the built-in questions."
        ) from None
