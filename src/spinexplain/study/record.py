"""A study on disk: what readers see (``study.json``, pictures) apart from the truth (``key.json``).

The key never leaves the folder: the reader's app and the printed sheets are made from
``study.json`` alone, which names neither models nor grades nor foils.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.io.files import unreadable
from spinexplain.io.json_file import write_json
from spinexplain.study.asking import Question

STUDY_FILE, KEY_FILE, REVEAL_FILE = "study.json", "key.json", "reveal.json"
PICTURES, ANSWERS = "pictures", "answers"
FOILS = ("random evidence", "wrong class", "image-blind map")
Stage = Literal["unaided", "aided"]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Slice(_Checked):
    """One plane: a CT picture, a heat map over it, and outlines as SVG paths.

    Parameters
    ----------
    picture, wash : str
        Names of PNG files; no wash where there is no heat map.
    contours : tuple of str
        Of the heat map, innermost first.
    target : str
        Of the vertebra that is asked about; empty where it is not known.
    """

    picture: str
    wash: str = ""
    contours: tuple[str, ...] = ()
    target: str = ""


class View(_Checked):
    """A vertebra as planes to scroll through, patient's right to left; a sheet has one.

    Parameters
    ----------
    slices : tuple of Slice
    start : int
        The plane that is shown first.
    width, height : int
        Extent in samples, in which the paths are written.
    mm : float
        Side of a sample.
    """

    slices: tuple[Slice, ...] = Field(min_length=1)
    start: int = 0
    width: int
    height: int
    mm: float


class Piece(_Checked):
    """A piece of evidence: where in the test image, and what it looks like."""

    test: View | None = None
    exemplar: View | None = None
    label: str = ""


class Item(_Checked):
    """What is shown together and asked about."""

    id: str
    stage: Stage = "aided"
    image: View | None = None
    pieces: tuple[Piece, ...] = ()


class ReaderPlan(_Checked):
    """The items of one reader in their order, session by session."""

    number: int = Field(ge=1)
    sessions: tuple[tuple[str, ...], ...]


class Study(_Checked):
    """All that readers may see.

    Parameters
    ----------
    id : str
        Hash of everything else.
    kind : {"evidence", "units"}
    design : {"evidence", "sequential", "crossover"}
    washout_days : int
        How long a reader waits between the sessions of a crossover.
    synthetic : bool
        Whether the pictures are of phantoms.
    """

    schema_: Literal["spinexplain/study/1"] = Field(default="spinexplain/study/1", alias="schema")
    id: str = ""
    title: str
    kind: Literal["evidence", "units"] = "evidence"
    design: Literal["evidence", "sequential", "crossover"] = "evidence"
    washout_days: int = 0
    synthetic: bool = False
    questions: tuple[Question, ...]
    items: tuple[Item, ...]
    readers: tuple[ReaderPlan, ...]

    def item(self, item_id: str) -> Item:
        """Return an item.

        Raises
        ------
        KeyError
            If there is none of this id.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def plan(self, reader: int) -> ReaderPlan:
        """Return a reader's plan.

        Raises
        ------
        ConfigError
            If the study has no such reader.
        """
        for plan in self.readers:
            if plan.number == reader:
                return plan
        raise ConfigError(
            f"reader is {reader}; this study has readers 1 to {len(self.readers)}. "
            "Give one of them."
        )

    def asked(self, item: Item) -> list[tuple[int, Question]]:
        """Return what is asked of an item: (piece from 1, or 0 for the item, question)."""
        known = [q for q in self.questions if q.stage in ("any", item.stage)]
        found = [
            (number, question)
            for number, piece in enumerate(item.pieces, start=1)
            for question in known
            if question.of == "piece" and (question.needs == "any" or piece.exemplar is not None)
        ]
        return found + [(0, question) for question in known if question.of == "item"]

    def question(self, key: str) -> Question | None:
        """Return a question by its key."""
        return next((question for question in self.questions if question.key == key), None)


class Case(_Checked):
    """A vertebra of a study: whose, what it is, what each arm's model calls it."""

    subject: str
    series: str
    level: str
    grade: str
    role: Literal["asked", "healthy", "wrong"] = "asked"
    model_grades: dict[str, str] = {}


class ItemKey(_Checked):
    """What an item really is.

    Parameters
    ----------
    case : str
        Name of a case, or of a unit.
    arm : str
        Whose evidence is shown; empty without any.
    foil : str
        One of ``FOILS``; empty where the evidence is real.
    repeat_of : str
        Id of the item that it shows again.
    """

    case: str
    arm: str = ""
    foil: str = ""
    repeat_of: str = ""


class ArmKey(_Checked):
    """A way of explaining: a model and a method."""

    model: str
    version: str
    sha256: str
    method: str


class UnitKey(_Checked):
    """What is known of a unit that readers name."""

    unit: int
    rank: int
    contrast: float
    q: float
    suggestion: str = ""


class Key(_Checked):
    """The truth behind a study; only for whoever scores it."""

    schema_: Literal["spinexplain/study-key/1"] = Field(
        default="spinexplain/study-key/1", alias="schema"
    )
    study: str
    seed: int
    command: str = ""
    cohort: str = ""
    split: str = ""
    top: int = 3
    arms: dict[str, ArmKey]
    cases: dict[str, Case]
    items: dict[str, ItemKey]
    units: dict[str, UnitKey] = {}
    names_key: str = ""
    layer: str = ""


def study_id(study: Study) -> str:
    """Hash a study without its id.

    Returns
    -------
    str
        An s and 15 hexadecimal digits.
    """
    content = study.model_dump(mode="json", by_alias=True, exclude={"id"})
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    # A letter first: a spreadsheet would round sixteen digits.
    return f"s{hashlib.sha256(text.encode()).hexdigest()[:15]}"


def write_study(folder: Path, study: Study, key: Key, reveal: Mapping[str, Any]) -> Study:
    """Write a study's files beside its pictures; the study gets its id, and the key the same."""
    named = study.model_copy(update={"id": study_id(study)})
    of_it = key.model_copy(update={"study": named.id})
    write_json(folder / STUDY_FILE, named.model_dump(mode="json", by_alias=True))
    write_json(folder / KEY_FILE, of_it.model_dump(mode="json", by_alias=True))
    write_json(folder / REVEAL_FILE, {"study": named.id, "items": dict(reveal)})
    return named


def read_study(folder: str | Path) -> Study:
    """Read what readers see.

    Raises
    ------
    ConfigError
        If the folder is no study.
    FileFormatError
        If ``study.json`` is broken or was changed after it was made.
    """
    study = _read(Path(folder) / STUDY_FILE, Study)
    if study.id != study_id(study):
        raise FileFormatError(
            f"{folder}: {STUDY_FILE} was changed after the study was made; answers to it would "
            "not be comparable. Restore it, or create a new study."
        )
    return study


def read_key(folder: str | Path, study: Study) -> Key:
    """Read the truth behind a study.

    Raises
    ------
    ConfigError
        If it is missing.
    FileFormatError
        If it is broken, or of another study.
    """
    key = _read(Path(folder) / KEY_FILE, Key)
    items = {item.id for item in study.items}
    if key.study != study.id or set(key.items) != items:
        raise FileFormatError(
            f"{folder}: {KEY_FILE} is of another study ({key.study}, not {study.id}). Put the key "
            "back that was made with it."
        )
    return key


def missing_pictures(folder: Path, study: Study) -> list[str]:
    """Return the items whose pictures are no longer in the folder, in their order."""
    there = {path.name for path in (folder / PICTURES).glob("*.png")}
    return [item.id for item in study.items if not pictures_of(item) <= there]


def pictures_of(item: Item) -> set[str]:
    """Return the names of the files that an item shows."""
    views = [item.image, *(view for piece in item.pieces for view in (piece.test, piece.exemplar))]
    slices = [one for view in views if view is not None for one in view.slices]
    return {name for one in slices for name in (one.picture, one.wash) if name}


_Record = TypeVar("_Record", bound=BaseModel)


def _read(path: Path, model: type[_Record]) -> _Record:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            f"{path.parent}: not a study (there is no {path.name}); expected a folder written by "
            "study create or study units. Check the path."
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FileFormatError(
            f"{path}: {place}: {first['msg']}; expected what study create wrote. Restore it."
        ) from None
