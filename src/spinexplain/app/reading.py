"""What a reader says of a scan: acts in, their sum out. Nothing here knows a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from spinexplain.anatomy import VertebraLevel
from spinexplain.texts.catalogue import Catalogue

Grade = Literal["G0", "G1", "G2", "G3"]
Shape = Literal["none", "wedge", "biconcave", "crush"]
Deformity = Literal["physiological", "Scheuermann", "Schmorl", "degenerative", "congenital"]
Acuity = Literal["acute", "subacute", "chronic", "indeterminate"]
Sign = Literal["endplate breach", "retropulsion", "vacuum cleft", "suspicious for malignancy"]
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "shape": get_args(Shape),
    "deformity": get_args(Deformity),
    "acuity": get_args(Acuity),
    "signs": get_args(Sign),
}
"""What a reader may choose from, in the order shown."""

Words = Annotated[str, Field(max_length=4000)]
Coordinate = Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]
Point = tuple[Coordinate, Coordinate]


class Act(BaseModel):
    """The body of an act; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Word(Act):
    """A reader's word on one vertebra."""

    verdict: Literal["agree", "grade", "deformity", "not assessable"]
    grade: Grade | None = None
    shape: Shape | None = None
    deformity: Deformity | None = None
    acuity: Acuity | None = None
    signs: tuple[Sign, ...] = ()
    reason: Words = ""
    recommendation: Words = ""
    comment: Words = ""

    @model_validator(mode="after")
    def _complete(self) -> Word:
        if self.verdict == "grade" and self.grade is None:
            raise ValueError("another grade needs the grade")
        if self.verdict == "deformity" and self.deformity is None:
            raise ValueError("a deformity needs its kind")
        if self.verdict == "not assessable" and not self.reason.strip():
            raise ValueError("not assessable needs the reason")
        return self


class Others(Act):
    """The levels without a word are unremarkable; the server fills in which."""

    levels: tuple[str, ...] = ()


class Points(Act):
    """Six points on the sagittal sheet, in samples: three heights, cranial and caudal end.

    The server fills ``heights_mm`` in when it stores them.
    """

    points: tuple[tuple[Point, Point], tuple[Point, Point], tuple[Point, Point]]
    heights_mm: tuple[float, float, float] | None = None


class Shift(Act):
    """All level names move by one: 1 is caudal."""

    by: Literal[-1, 1]


class DraftText(Act):
    """The finding as the reader edited it."""

    text: Annotated[str, Field(max_length=20_000)]


class Signature(Act):
    """The reader's name under a finalised reading."""

    name: Annotated[str, Field(min_length=1, max_length=120)]


class Addendum(Act):
    """What is added to a finalised reading."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    text: Annotated[str, Field(min_length=1, max_length=4000)]


class Nothing(Act):
    """An act that says all by its kind."""


KINDS: Mapping[str, type[Act]] = {
    "viewed": Nothing,
    "word": Word,
    "others": Others,
    "heights": Points,
    "shift": Shift,
    "draft": DraftText,
    "undo": Nothing,
    "finalise": Signature,
    "addendum": Addendum,
}
"""Kind of act -> what its body must be."""

OF_A_LEVEL = frozenset({"word", "heights"})
_UNDONE = frozenset({"word", "others", "heights", "shift", "draft"})
UNREMARKABLE = Word(verdict="grade", grade="G0", shape="none")


@dataclass(frozen=True)
class Done:
    """An act as it was stored."""

    seq: int
    kind: str
    level: str | None
    body: Mapping[str, Any]
    at: str


@dataclass(frozen=True)
class Reading:
    """The sum of one reader's acts on one scan.

    Parameters
    ----------
    words : mapping of str to Word
        By the level's name as the model gave it.
    heights : mapping of str to Points
    shift : int
        By how many levels all names move caudal.
    draft : str or None
        The finding as edited; None where nobody edited it.
    signed : tuple of str or None
        Name and time.
    addenda : tuple of tuples of str
        Name, time and text of each.
    last : int
        Number of the last act; 0 where there is none.
    undoable : bool
    viewed : bool
    """

    words: Mapping[str, Word] = field(default_factory=dict)
    heights: Mapping[str, Points] = field(default_factory=dict)
    shift: int = 0
    draft: str | None = None
    signed: tuple[str, str] | None = None
    addenda: tuple[tuple[str, str, str], ...] = ()
    last: int = 0
    undoable: bool = False
    viewed: bool = False

    @property
    def state(self) -> str:
        """Where it stands: ``unread``, ``seen``, ``begun`` or ``final``."""
        if self.signed is not None:
            return "final"
        if self.words or self.heights or self.draft is not None or self.shift:
            return "begun"
        return "seen" if self.viewed else "unread"

    def shown_level(self, level: str) -> str:
        """Return what a level is called after the shift."""
        return shifted(level, self.shift)


def shifted(level: str, by: int) -> str:
    """Move a level's name along the spine; T13 and L6 are not in the way.

    Examples
    --------
    >>> shifted("T12", 1), shifted("L1", -1), shifted("L5", 1), shifted("L6", 0)
    ('L1', 'T12', 'L6', 'L6')
    """
    if by == 0:
        return level
    row = [one.value for one in VertebraLevel if one.value != "T13"]
    at = row.index("T12" if level == "T13" else level) + by
    return row[min(max(at, 0), len(row) - 1)]


def sum_up(acts: Iterable[Done]) -> Reading:
    """Add acts up in their order.

    Examples
    --------
    >>> agree = Done(1, "word", "L1", {"verdict": "agree"}, "")
    >>> sum_up([agree]).words["L1"].verdict
    'agree'
    >>> sum_up([agree, Done(2, "undo", None, {}, "")]).words
    {}
    """
    kept: list[Done] = []
    last, viewed = 0, False
    for act in acts:
        last, viewed = act.seq, True
        if act.kind == "undo":
            _drop_last(kept)
        elif act.kind != "viewed":
            kept.append(act)
    reading = Reading(last=last, viewed=viewed)
    for act in kept:
        reading = _ADD[act.kind](reading, act)
    undoable = reading.signed is None and any(act.kind in _UNDONE for act in kept)
    return replace(reading, undoable=undoable)


def _drop_last(kept: list[Done]) -> None:
    for index in range(len(kept) - 1, -1, -1):
        if kept[index].kind in _UNDONE:
            del kept[index]
            return


def _word(reading: Reading, act: Done) -> Reading:
    word = Word.model_validate(act.body)
    return replace(reading, words={**reading.words, str(act.level): word})


def _others(reading: Reading, act: Done) -> Reading:
    added = {level: UNREMARKABLE for level in act.body["levels"] if level not in reading.words}
    return replace(reading, words={**reading.words, **added})


def _heights(reading: Reading, act: Done) -> Reading:
    points = Points.model_validate(act.body)
    return replace(reading, heights={**reading.heights, str(act.level): points})


def _shift(reading: Reading, act: Done) -> Reading:
    return replace(reading, shift=reading.shift + int(act.body["by"]))


def _draft(reading: Reading, act: Done) -> Reading:
    return replace(reading, draft=str(act.body["text"]))


def _finalise(reading: Reading, act: Done) -> Reading:
    return replace(reading, signed=(str(act.body["name"]), act.at))


def _addendum(reading: Reading, act: Done) -> Reading:
    added = (str(act.body["name"]), act.at, str(act.body["text"]))
    return replace(reading, addenda=(*reading.addenda, added))


_ADD = {
    "word": _word,
    "others": _others,
    "heights": _heights,
    "shift": _shift,
    "draft": _draft,
    "finalise": _finalise,
    "addendum": _addendum,
}


def spoken(word: Word, say: Catalogue) -> str:
    """Say a word in a sentence's part, as exports and report show it.

    Examples
    --------
    >>> from spinexplain.texts.catalogue import load_catalogue
    >>> spoken(Word(verdict="grade", grade="G2", shape="wedge"), load_catalogue())
    'moderate (G2), wedge'
    """
    if word.verdict == "agree":
        parts = [say("said.agree")]
    elif word.verdict == "deformity":
        parts = [say("said.deformity", kind=option_words(word.deformity, say))]
    elif word.verdict == "not assessable":
        parts = [say("said.not_assessable", reason=word.reason.strip())]
    else:
        grade = str(word.grade)
        parts = [say("said.grade", words=say.or_raw(f"grade.{grade}", grade), grade=grade)]
        parts += [option_words(word.shape, say)] if word.shape not in (None, "none") else []
    return ", ".join([*parts, *beyond_the_grade(word, say)])


def beyond_the_grade(word: Word, say: Catalogue) -> list[str]:
    """Say what a word adds to any verdict: how old a fracture is, and its signs."""
    added = ([word.acuity] if word.acuity else []) + list(word.signs)
    return [option_words(one, say) for one in added]


def option_words(option: str | None, say: Catalogue) -> str:
    """Say what a reader may choose; as it is stored where the catalogue has no other word."""
    return say.or_raw(f"option.{option}", str(option))
