import datetime

import numpy as np
import pytest
import requests
from tests_node_conftest import emptied, upload

from spinexplain.dicom_out.write import DicomResult, write_dicom
from spinexplain.io.read import read_scan
from spinexplain.node.dicomweb import DicomwebMailbox
from spinexplain.node.mailbox import MailboxError

TODAY = datetime.date(2026, 1, 3)  # the study is of the day before


@pytest.fixture(scope="module")
def server(orthanc, ct_series, segmentation_file):
    emptied(orthanc[0])
    upload(orthanc[0], [*sorted(ct_series.folder.iterdir()), segmentation_file])
    return f"{orthanc[0]}/dicom-web"


def _mailbox(server, today=TODAY):
    return DicomwebMailbox(server, today=lambda: today)


def test_a_series_counts_when_it_stood_still_between_two_looks(server):
    mailbox = _mailbox(server)
    assert mailbox.arrivals("")[0] == []
    ((arrival,), _) = mailbox.arrivals("")
    assert arrival.facts.instances == 24
    assert arrival.facts.age_years == 70
    assert arrival.facts.thickness_mm == 3
    assert mailbox.listing() == [arrival]


def test_old_studies_are_not_looked_at(server):
    assert _mailbox(server, datetime.date(2026, 6, 1)).listing() == []


def test_the_series_comes_voxel_for_voxel(tmp_path, server, ct_series):
    mailbox = _mailbox(server)
    (arrival,) = mailbox.listing()
    volume = read_scan(mailbox.fetch(arrival.reference, tmp_path))
    np.testing.assert_array_equal(volume.array, ct_series.volume.array)
    np.testing.assert_allclose(volume.affine, ct_series.volume.affine)
    (tmp_path / "seg").mkdir()
    assert len(mailbox.segmentations(arrival.reference, tmp_path / "seg")) >= 1


def test_results_are_stored_and_never_taken_for_input(tmp_path, server, ct_series):
    result = DicomResult(ct_series.findings, ct_series.references, ct_series.labels)
    paths = [path for path in write_dicom(result, tmp_path) if path.suffix == ".dcm"]
    mailbox = _mailbox(server)
    mailbox.deliver(paths)
    mailbox.deliver(paths)
    found = requests.get(f"{server}/series", params={"Modality": "SEG"}, timeout=10).json()
    assert len(found) == 2
    (arrival,) = mailbox.listing()
    (tmp_path / "seg").mkdir()
    ours = {
        path.read_bytes() for path in mailbox.segmentations(arrival.reference, tmp_path / "seg")
    }
    assert len(ours) == 1


def test_an_absent_server_is_tried_again():
    with pytest.raises(MailboxError, match="does not answer"):
        DicomwebMailbox("http://127.0.0.1:9").arrivals("")
