"""The finding in words, and the report with the reader's word on top."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spinexplain.app.edited_heights import ShownHeights, shown_heights
from spinexplain.app.pages import page_environment
from spinexplain.app.reading import Reading, Word, spoken
from spinexplain.app.scan_view import ScanView
from spinexplain.errors import OutputError
from spinexplain.texts.catalogue import load_catalogue

_MAIN = '<main id="content">'
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
_GRADES = ("G0", "G1", "G2", "G3")


@dataclass(frozen=True)
class Line:
    """One vertebra of a reading, beside what the model said."""

    level: str
    model_level: str
    model: str
    model_grade: str | None
    agreed_grade: str | None
    word: Word | None
    words: str
    heights: ShownHeights | None


def grade_words() -> dict[str, str]:
    """Return the words of each grade."""
    say = load_catalogue()
    return {grade: say.or_raw(f"grade.{grade}", grade) for grade in _GRADES}


def lines_of(view: ScanView, reading: Reading) -> list[Line]:
    """List all levels of a scan with the model's and the reader's word."""
    named = grade_words()
    return [_line(one, view.levels, reading, named) for one in view.levels]


def _line(
    level: Mapping[str, Any],
    levels: Sequence[Mapping[str, Any]],
    reading: Reading,
    named: Mapping[str, str],
) -> Line:
    name = str(level["level"])
    word = reading.words.get(name)
    known = level["heights"] is not None or name in reading.heights
    return Line(
        level=reading.shown_level(name),
        model_level=name,
        model=str(level["words"]),
        model_grade=level["grade"],
        agreed_grade=level["agreed_grade"],
        word=word,
        words="" if word is None else spoken(word, named),
        heights=shown_heights(levels, name, reading) if known else None,
    )


def composed(view: ScanView, reading: Reading) -> str:
    """Write the finding from the reader's words; where there are none, from the drafts.

    A draft of the model stays marked as one.
    """
    sentences = []
    unremarkable = []
    for line, level in zip(lines_of(view, reading), view.levels, strict=True):
        if line.word is None:
            if level["draft"]:
                sentences.append(f"[draft, not confirmed] {level['draft']}")
        elif _is_unremarkable(line.word, level):
            unremarkable.append(line.level)
        else:
            sentences.append(_sentence(line, level))
    if unremarkable:
        sentences.append(f"{', '.join(unremarkable)}: no vertebral fracture.")
    return "\n".join(sentences)


def _is_unremarkable(word: Word, level: Mapping[str, Any]) -> bool:
    plain = not (word.signs or word.comment.strip() or word.recommendation.strip())
    healthy = word.grade == "G0" or (word.verdict == "agree" and level["agreed_grade"] == "G0")
    return plain and healthy and word.verdict in ("grade", "agree")


def _sentence(line: Line, level: Mapping[str, Any]) -> str:
    word = line.word
    assert word is not None
    said = str(level["words"]) if word.verdict == "agree" else line.words
    if word.verdict == "agree" and (word.signs or word.acuity):
        said = ", ".join([said, *filter(None, [word.acuity]), *word.signs])
    parts = [f"{line.level}: {said}"]
    if line.heights is not None and line.heights.height_loss_class > 0:
        heights = line.heights
        parts.append(f"height loss {100 * heights.loss:.0f} % ({heights.shape})")
    extra = [text.strip().rstrip(".") for text in (word.comment, word.recommendation)]
    return ". ".join(["; ".join(parts), *filter(None, extra)]) + "."


def shown_reading(view: ScanView, reading: Reading, pseudonym: str) -> dict[str, Any]:
    """Return what the templates of a reading draw."""
    return {
        "lines": lines_of(view, reading),
        "reading": reading,
        "text": reading.draft if reading.draft is not None else composed(view, reading),
        "name": pseudonym,
        "say": load_catalogue(),
    }


def report_with(report: str, view: ScanView, reading: Reading, pseudonym: str) -> tuple[str, str]:
    """Put a reading on top of the report that ``grade`` wrote.

    Returns
    -------
    str
        The page.
    str
        The policy it must be sent with.

    Raises
    ------
    OutputError
        If the report is not one of this version.
    """
    policy = _POLICY.search(report)
    if report.count(_MAIN) != 1 or policy is None:
        raise OutputError("the stored report is of another version; grade the scan again.")
    section = page_environment().get_template("reading_section.html.j2")
    words = section.render(shown_reading(view, reading, pseudonym))
    return report.replace(_MAIN, _MAIN + words), policy[1]
