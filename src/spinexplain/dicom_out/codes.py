"""The codes of every word in a result, from one file that a site can read and map."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from highdicom.sr import CodedConcept
    from pydicom.dataset import Dataset

_LONGEST_VALUE = 16  # DICOM's SH
_LONGEST_MEANING = 64  # DICOM's LO


@dataclass(frozen=True)
class Code:
    """One entry of a coding scheme.

    Parameters
    ----------
    value, scheme, meaning : str
    """

    value: str
    scheme: str
    meaning: str

    @property
    def concept(self) -> CodedConcept:
        """The code as highdicom takes it."""
        from highdicom.sr import CodedConcept

        return CodedConcept(self.value, self.scheme, self.meaning)


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    text = (resources.files("spinexplain.dicom_out") / "codes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def code(table: str, name: str) -> Code:
    """Return the code of a word.

    Parameters
    ----------
    table : str
        A table of ``codes.toml``: what kind of word it is.
    name : str

    Raises
    ------
    KeyError
        If there is none: a fault of the program.

    Examples
    --------
    >>> code("level", "L1")
    Code(value='66794005', scheme='SCT', meaning='L1 vertebra')
    """
    return Code(*_tables()[table][name])


def names(table: str) -> tuple[str, ...]:
    """Return the words of a table.

    Examples
    --------
    >>> names("severity")
    ('mild', 'moderate', 'severe')
    """
    return tuple(_tables()[table])


def own_code(kind: str, name: str, meaning: str) -> Code:
    """Code a word that no table holds, such as the class of a model that a user trained.

    Examples
    --------
    >>> own_code("SCORE", "G2", "Model score of G2")
    Code(value='SCORE-G2', scheme='99SPINEX', meaning='Model score of G2')
    """
    plain = "-".join("".join(c if c.isalnum() else " " for c in name.upper()).split())
    value = f"{kind}-{plain}"
    if len(value) > _LONGEST_VALUE:  # cut, but two long names stay two codes
        mark = hashlib.sha256(value.encode()).hexdigest()[:4].upper()
        value = f"{value[: _LONGEST_VALUE - 5].rstrip('-')}-{mark}"
    return Code(value, scheme_designator(), meaning[:_LONGEST_MEANING])


def grade_code(grade: str) -> Code:
    """Return the code of a model's class."""
    if grade in names("grade"):
        return code("grade", grade)
    return own_code("CALL", grade, f"Class {grade}")


def scheme_designator() -> str:
    """Return the designator of our own coding scheme.

    Examples
    --------
    >>> scheme_designator()
    '99SPINEX'
    """
    return str(_tables()["scheme"]["designator"])


def declare_scheme(dataset: Dataset) -> None:
    """Say in a data set what our own scheme is, so that its codes are not riddles."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodingSchemeDesignator = scheme_designator()
    item.CodingSchemeName = str(_tables()["scheme"]["name"])
    item.CodingSchemeResponsibleOrganization = "The spinexplain developers"
    dataset.CodingSchemeIdentificationSequence = [item]
