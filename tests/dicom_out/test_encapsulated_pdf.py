import pydicom
import pytest

from spinexplain.dicom_out.encapsulated_pdf import encapsulated_pdf
from spinexplain.dicom_out.write import context_of


@pytest.mark.parametrize("pdf", [b"%PDF-1.7\n%%EOF", b"%PDF-1.7\n%%EOF\n"])
def test_the_bytes_come_back_whatever_their_length(tmp_path, result, pdf):
    made = encapsulated_pdf(context_of(result()), pdf, "spinexplain report")
    made.save_as(tmp_path / "pdf.dcm", enforce_file_format=True)
    found = pydicom.dcmread(tmp_path / "pdf.dcm")
    assert found.EncapsulatedDocument[: found.EncapsulatedDocumentLength] == pdf
    assert found.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert len(found.EncapsulatedDocument) % 2 == 0


def test_dcmtk_extracts_it(tmp_path, written, tool):
    rc, said = tool("dcm2pdf", written() / "report.dcm", tmp_path / "out.pdf")
    assert rc == 0, said
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
