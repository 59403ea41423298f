"""A study on paper: the pages of one reader and session as a PDF."""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.progress import SILENT, Progress
from spinexplain.study.record import PICTURES, Study, View, missing_pictures
from spinexplain.study.sheet import write_sheet
from spinexplain.texts.catalogue import load_catalogue
from spinexplain.ui.pages import static_text, template_environment
from spinexplain.ui.tokens import FONT_STACK

PAPER = "paper"
_BESIDE = 2


def write_paper(folder: Path, study: Study, out: Path, progress: Progress = SILENT) -> list[Path]:
    """Write a PDF for every reader and session, and one answer sheet a reader.

    Parameters
    ----------
    folder : Path
        Of the study.
    study : Study
    out : Path
        An existing folder.
    progress : Progress

    Raises
    ------
    FileFormatError
        If pictures of the study are gone.
    ConfigError
        If WeasyPrint is not installed.
    """
    check_pictures(folder, study)
    if find_spec("weasyprint") is None:
        raise ConfigError(
            "a PDF needs WeasyPrint, which is not installed. "
            'Install it with: pip install "spinexplain[node]".'
        )
    paths = []
    total = sum(len(plan.sessions) for plan in study.readers)
    for plan in study.readers:
        paths.append(write_sheet(out / f"reader-{plan.number}.csv", study, plan.number))
        for session in range(1, len(plan.sessions) + 1):
            path = out / f"reader-{plan.number}_session-{session}.pdf"
            path.write_bytes(_printed(paper_page(folder, study, plan.number, session)))
            paths.append(path)
            progress.step("printing", sum(p.suffix == ".pdf" for p in paths), total)
    return paths


def check_pictures(folder: Path, study: Study) -> None:
    """Refuse a study of which pictures are gone.

    Raises
    ------
    FileFormatError
    """
    gone = missing_pictures(folder, study)
    if gone:
        raise FileFormatError(
            f"{folder}: pictures of {len(gone)} of {len(study.items)} items are gone (first "
            f"{gone[0]}); expected all in {PICTURES}/. Restore the folder; answers that were "
            "given are kept and can still be scored."
        )


def paper_page(folder: Path, study: Study, reader: int, session: int) -> str:
    """Return the pages of a session as HTML; everything from outside is escaped."""
    before = sum(len(one) for one in study.plan(reader).sessions[: session - 1])
    items = [study.item(name) for name in study.plan(reader).sessions[session - 1]]
    template = template_environment().get_template("study_paper.html.j2")
    return template.render(
        study=study,
        reader=reader,
        session=session,
        items=items,
        first=before + 1,
        source=embedded(folder / PICTURES),
        planes=printed_planes,
        style=Markup(static_text("study_paper.css")),
        font=FONT_STACK,
        say=load_catalogue(),
    )


def printed_planes(view: View) -> list[int]:
    """Choose the planes of a vertebra that are printed large: of a box the first and two beside.

    Examples
    --------
    >>> from spinexplain.study.record import Slice
    >>> one = Slice(picture="p.png")
    >>> printed_planes(View(slices=(one,) * 20, start=9, width=8, height=8, mm=1.0))
    [7, 9, 11]
    >>> printed_planes(View(slices=(one,), width=8, height=8, mm=1.0))
    [0]
    """
    last = len(view.slices) - 1
    beside = (view.start - _BESIDE, view.start, view.start + _BESIDE)
    return sorted({min(max(at, 0), last) for at in beside})


def embedded(pictures: Path) -> Callable[[str], str]:
    """Return a function from a picture's name to a ``data:`` URI."""

    def uri(name: str) -> str:
        encoded = base64.b64encode((pictures / name).read_bytes()).decode("ascii")
        return f"data:image/png;base64,{encoded}"

    return uri


def _printed(page: str) -> bytes:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    fetcher = URLFetcher(allowed_protocols=["data"])  # neither files nor the network
    return bytes(HTML(string=page, url_fetcher=fetcher).write_pdf())
