import pytest

from spinexplain.app import reading_pdf as module
from spinexplain.app.reading import Reading, Word
from spinexplain.app.reading_pdf import reading_page, reading_pdf
from spinexplain.errors import ConfigError

SIGNED = Reading(
    words={"L1": Word(verdict="grade", grade="G2", shape="wedge", comment="<b>old</b>")},
    signed=("Dr. Roentgen", "2026-01-02T03:04:05.000000Z"),
)


def test_the_page_holds_the_word_beside_the_models(view):
    page = reading_page(view, SIGNED, "<i>made</i>")
    assert "moderate (G2), wedge" in page
    assert "fracture suspected, moderate" in page
    assert "Dr. Roentgen" in page
    assert "<b>old" not in page
    assert "<i>made" not in page


def test_it_is_printed(view):
    pytest.importorskip("weasyprint")
    assert reading_pdf(view, SIGNED, "made").startswith(b"%PDF-")


def test_without_weasyprint_it_says_what_to_install(view, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="WeasyPrint"):
        reading_pdf(view, SIGNED, "made")
