"""A reading as a PDF, for those who keep paper."""

from __future__ import annotations

import base64
from importlib.util import find_spec

from spinexplain.app.finding import shown_reading
from spinexplain.app.pages import page_environment
from spinexplain.app.reading import Reading
from spinexplain.app.scan_view import ScanView
from spinexplain.errors import ConfigError
from spinexplain.ui.tokens import FONT_STACK


def reading_page(view: ScanView, reading: Reading, pseudonym: str) -> str:
    """Return the page that is printed; everything from outside is escaped."""
    picture = view.folder / "pictures" / f"{view.described['map']['picture']['id']}.png"
    encoded = base64.b64encode(picture.read_bytes()).decode("ascii")
    template = page_environment().get_template("reading_page.html.j2")
    return template.render(
        **shown_reading(view, reading, pseudonym),
        view=view.described,
        picture=f"data:image/png;base64,{encoded}",
        font=FONT_STACK,
    )


def reading_pdf(view: ScanView, reading: Reading, pseudonym: str) -> bytes:
    """Print a reading beside what the model said.

    Raises
    ------
    ConfigError
        If WeasyPrint is not installed.
    """
    if find_spec("weasyprint") is None:
        raise ConfigError(
            "a PDF needs WeasyPrint, which is not installed on the server. "
            "Run: pip install 'spinexplain[node]'."
        )
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    page = reading_page(view, reading, pseudonym)
    fetcher = URLFetcher(allowed_protocols=["data"])  # neither files nor the network
    return bytes(HTML(string=page, url_fetcher=fetcher).write_pdf())
