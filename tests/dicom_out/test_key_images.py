import numpy as np
import pydicom
from PIL import Image

from spinexplain.dicom_out.key_pictures import key_pictures
from spinexplain.dicom_out.statement import statement_of


def test_the_pictures_come_back_pixel_for_pixel(cases, written):
    findings = cases("HFS").findings
    for number, picture in enumerate(key_pictures(findings, statement_of(findings)), start=1):
        found = pydicom.dcmread(written() / f"key-image-{number}.dcm")
        np.testing.assert_array_equal(found.pixel_array, picture)
        assert found.BurnedInAnnotation == "YES"
        assert found.InstanceNumber == number


def test_dcmtk_draws_the_same_picture(tmp_path, cases, written, tool):
    out = tmp_path / "card.ppm"
    rc, said = tool("dcm2pnm", written() / "key-image-2.dcm", out)
    assert rc == 0, said
    findings = cases("HFS").findings
    expected = key_pictures(findings, statement_of(findings))[1]
    np.testing.assert_array_equal(np.asarray(Image.open(out)), expected)


def test_the_note_points_at_all_of_them(written):
    note = pydicom.dcmread(written() / "key-note.dcm")
    named = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in note.ContentSequence
        if item.ValueType == "IMAGE"
    ]
    images = [pydicom.dcmread(written() / f"key-image-{n}.dcm").SOPInstanceUID for n in (1, 2)]
    assert named == images
    texts = [item.TextValue for item in note.ContentSequence if item.ValueType == "TEXT"]
    assert any("unverified, not for diagnostic use" in text for text in texts)
