"""The finding in words, and the report with the reader's word on top."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spinexplain.app.edited_heights import ShownHeights, shown_heights
from spinexplain.app.level_names import renamed
from spinexplain.app.pages import page_environment
from spinexplain.app.reading import Reading, Word, beyond_the_grade, spoken
from spinexplain.app.scan_view import ScanView
from spinexplain.errors import OutputError
from spinexplain.texts.catalogue import Catalogue, load_catalogue

_MAIN = '<main id="content">'
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


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


def lines_of(view: ScanView, reading: Reading) -> list[Line]:
    """List all levels of a scan with the model's and the reader's word."""
    say = load_catalogue()
    return [_line(one, view.levels, reading, say) for one in view.levels]


def _line(
    level: Mapping[str, Any],
    levels: Sequence[Mapping[str, Any]],
    reading: Reading,
    say: Catalogue,
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
        words="" if word is None else spoken(word, say),
        heights=shown_heights(levels, name, reading) if known else None,
    )


def composed(view: ScanView, reading: Reading) -> str:
    """Write the finding from the reader's words; where there are none, from the drafts.

    A draft of the model stays marked as one.
    """
    say = load_catalogue()
    sentences = []
    unremarkable = []
    for line, level in zip(lines_of(view, reading), view.levels, strict=True):
        if line.word is None:
            if level["draft"]:
                draft = renamed(level["draft"], line.model_level, line.level)
                sentences.append(say("finding.draft", text=draft))
        elif _is_unremarkable(line.word, level):
            unremarkable.append(line.level)
        else:
            sentences.append(_sentence(line, level, say))
    if unremarkable:
        sentences.append(say("finding.unremarkable", levels=", ".join(unremarkable)))
    return "\n".join(sentences)


def _is_unremarkable(word: Word, level: Mapping[str, Any]) -> bool:
    plain = not (word.signs or word.comment.strip() or word.recommendation.strip())
    healthy = word.grade == "G0" or (word.verdict == "agree" and level["agreed_grade"] == "G0")
    return plain and healthy and word.verdict in ("grade", "agree")


def _sentence(line: Line, level: Mapping[str, Any], say: Catalogue) -> str:
    word = line.word
    assert word is not None
    said = str(level["words"]) if word.verdict == "agree" else line.words
    if word.verdict == "agree":
        said = ", ".join([said, *beyond_the_grade(word, say)])
    parts = [say("finding.level", level=line.level, said=said)]
    if line.heights is not None and line.heights.height_loss_class > 0:
        heights = line.heights
        shape = say.or_raw(f"shape.{heights.shape}", heights.shape)
        parts.append(say("finding.loss", percent=f"{100 * heights.loss:.0f}", shape=shape))
    extra = [text.strip().rstrip(".") for text in (word.comment, word.recommendation)]
    return ". ".join(["; ".join(parts), *filter(None, extra)]) + "."


def shown_reading(view: ScanView, reading: Reading, pseudonym: str) -> dict[str, Any]:
    """Return what the templates of a reading draw."""
    return {
        "lines": lines_of(view, reading),
        "reading": reading,
        "text": reading.draft if reading.draft is not None else composed(view, reading),
        "name": pseudonym,
    }


def report_with(
    report: str, view: ScanView, reading: Reading, pseudonym: str, named: bool = True
) -> tuple[str, str]:
    """Put a reading on top of the report that ``grade`` wrote.

    Parameters
    ----------
    report : str
    view : ScanView
    reading : Reading
    pseudonym : str
        What the scan is called.
    named : bool
        Whether the report has the reader's level names; else it says that they are the model's.

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
    words = section.render(shown_reading(view, reading, pseudonym), named=named)
    return report.replace(_MAIN, _MAIN + words), policy[1]
