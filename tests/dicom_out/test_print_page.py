from dataclasses import replace

import pytest

from spinexplain.dicom_out import print_page as module
from spinexplain.dicom_out.key_pictures import key_pictures
from spinexplain.dicom_out.print_page import print_page, print_pdf
from spinexplain.dicom_out.statement import statement_of
from spinexplain.errors import ConfigError


@pytest.fixture(scope="session")
def parts(cases):
    findings = cases("HFS").findings
    statement = statement_of(findings)
    return findings, statement, key_pictures(findings, statement)


def test_the_page_says_what_was_found(parts):
    page = print_page(*parts)
    assert "<h1>L1 fracture suspected, moderate</h1>" in page
    assert "31 % (24 to 38)" in page
    assert "touches border" in page
    assert page.count("<img") == 2
    assert "Not for diagnostic use" in page


def test_words_from_outside_are_escaped(parts):
    findings, statement, pictures = parts
    evil = replace(statement.models[0], name="<script>alert(1)</script>")
    page = print_page(findings, replace(statement, models=(evil,)), pictures)
    assert "<script" not in page


def test_the_pdf_holds_the_words(tmp_path, parts, tool):
    pdf = print_pdf(*parts)
    assert pdf.startswith(b"%PDF")
    (tmp_path / "r.pdf").write_bytes(pdf)
    rc, text = tool("pdftotext", tmp_path / "r.pdf", "-")
    assert rc == 0
    assert "L1 fracture suspected, moderate" in text
    assert "1/3" in text


def test_without_weasyprint_the_remedy_is_named(parts, monkeypatch):
    monkeypatch.setattr(module, "can_print", lambda: False)
    with pytest.raises(ConfigError, match=r"pip install 'spinexplain\[node\]'"):
        print_pdf(*parts)
