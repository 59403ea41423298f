"""The findings as a PDF for the archive: a table, the spine and a card a suspicious vertebra."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from spinexplain.dicom_out.key_pictures import WARNING
from spinexplain.dicom_out.statement import ScanStatement
from spinexplain.errors import ConfigError
from spinexplain.findings.scan import ScanFindings
from spinexplain.ui.pages import software_version


def can_print() -> bool:
    """Whether WeasyPrint is installed, which makes the PDF."""
    return find_spec("weasyprint") is not None


def print_pdf(
    findings: ScanFindings, statement: ScanStatement, pictures: Sequence[np.ndarray]
) -> bytes:
    """Print the findings as a PDF.

    Parameters
    ----------
    findings : ScanFindings
    statement : ScanStatement
        Of these findings.
    pictures : sequence of ndarray of uint8, shape (rows, columns, 3)
        The key images.

    Returns
    -------
    bytes
        The same for the same input.

    Raises
    ------
    ConfigError
        If WeasyPrint is not installed.
    """
    if not can_print():
        raise ConfigError(
            "a PDF needs WeasyPrint, which is not installed. Run: pip install 'spinexplain[node]'."
        )
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    page = print_page(findings, statement, pictures)
    fetcher = URLFetcher(allowed_protocols=["data"])  # neither files nor the network
    return bytes(HTML(string=page, url_fetcher=fetcher).write_pdf(pdf_identifier=b"spinexplain"))


def print_page(
    findings: ScanFindings, statement: ScanStatement, pictures: Sequence[np.ndarray]
) -> str:
    """Return the page that is printed; everything from outside is escaped."""
    environment = Environment(
        loader=PackageLoader("spinexplain.dicom_out", ""),
        autoescape=True,
        undefined=StrictUndefined,
    )
    suspected = statement.suspicious
    names = "; ".join(f"{one.level.value} {one.final.words}" for one in suspected)
    return environment.get_template("print_page.html.j2").render(
        headline=names or "No vertebral fracture suspected",
        warning=WARNING.format(status=statement.status),
        statement=statement,
        version=software_version(),
        scan_sha256=findings.source.sha256,
        pictures=[_uri(picture) for picture in pictures],
    )


def _uri(picture: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, format="PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
