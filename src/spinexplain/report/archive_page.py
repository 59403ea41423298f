"""The page of an archive: what was found, what was refused, what has drifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spinexplain.ui.pages import render_page, software_version, write_page


def write_archive_page(figures: dict[str, Any], out: Path) -> Path:
    """Write ``archive.html``: one file, no network, for screen and print.

    Parameters
    ----------
    figures : dict
        From :func:`spinexplain.jobs.batch.prevalence.summarize`.
    out : Path
        An existing folder.
    """
    content = {"figures": figures, "software": software_version()}
    return write_page(out / "archive.html", render_page("archive", content, script=False))
