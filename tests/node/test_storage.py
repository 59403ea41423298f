"""Our own door: who may send, what is spooled, when a series counts as complete."""

import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pynetdicom import AE

from spinexplain.io.read import read_scan
from spinexplain.node.mailbox import MailboxError
from spinexplain.node.settings import ScpSettings
from spinexplain.node.storage import StorageMailbox

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture
def door(tmp_path):
    """A maker of open doors: door(has_room=..., **settings)."""
    opened = []

    def make(has_room=lambda: True, **settings):
        usual = {"port": 0, "allowed_aets": ("SCANNER",), "quiet_seconds": 0.2}
        made = StorageMailbox(ScpSettings(**usual | settings), tmp_path / "spool", has_room)
        made.open()
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


def _send(door, files, calling="SCANNER", called="SPINEXPLAIN", kind=CT):
    ae = AE(ae_title=calling)
    ae.add_requested_context(kind, EXPLICIT)
    link = ae.associate("127.0.0.1", door.port, ae_title=called)
    if not link.is_established:
        return None
    statuses = [link.send_c_store(pydicom.dcmread(file)).Status for file in files]
    link.release()
    return statuses


def _files(case):
    return sorted(case.folder.iterdir())


def test_a_series_arrives_voxel_for_voxel_when_it_is_quiet(tmp_path, door, ct_series):
    one = door()
    assert set(_send(one, _files(ct_series))) == {0}
    assert one.arrivals("")[0] == []
    time.sleep(0.3)
    ((arrival,), _) = one.arrivals("")
    assert arrival.facts.instances == 24
    assert arrival.facts.series_uid == ct_series.references.series_uid
    volume = read_scan(one.fetch(arrival.reference, tmp_path))
    np.testing.assert_array_equal(volume.array, ct_series.volume.array)
    names = [path.name for path in (tmp_path / "spool").rglob("*")]
    assert not any("1.2.826" in name for name in names)
    one.forget(arrival.reference)
    assert one.arrivals("")[0] == []


def test_late_slices_join_their_series(door, ct_series):
    one = door(quiet_seconds=0.01)
    files = _files(ct_series)
    _send(one, files[:9])
    time.sleep(0.05)
    ((early,), _) = one.arrivals("")
    one.forget(early.reference)
    assert one.arrivals("")[0] == []
    _send(one, files[9:])
    time.sleep(0.05)
    ((whole,), _) = one.arrivals("")
    assert (early.facts.instances, whole.facts.instances) == (9, 24)
    assert early.reference == whole.reference


def test_finished_series_leave_when_they_were_kept_long_enough(tmp_path, door, ct_series):
    one = door(quiet_seconds=0.01, keep_hours=0)
    _send(one, _files(ct_series)[:3])
    time.sleep(0.05)
    ((arrival,), _) = one.arrivals("")
    assert one.arrivals("")[0] == [arrival], "what is not finished stays"
    one.forget(arrival.reference)
    one.arrivals("")
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_full_disk_makes_room_of_what_is_finished(tmp_path, door, ct_series):
    room = [True]
    one = door(has_room=lambda: room[0], quiet_seconds=0.01)
    _send(one, _files(ct_series)[:3])
    time.sleep(0.05)
    ((arrival,), _) = one.arrivals("")
    one.forget(arrival.reference)
    one.arrivals("")
    assert list((tmp_path / "spool").iterdir())
    room[0] = False
    assert _send(one, _files(ct_series)[:1]) == [0xA700]
    assert not list((tmp_path / "spool").iterdir())


def test_duplicates_are_kept_once(door, ct_series):
    one = door()
    _send(one, _files(ct_series) * 2)
    (arrival,) = one.listing()
    assert arrival.facts.instances == 24


@pytest.mark.parametrize(
    ("calling", "called"), [("STRANGER", "SPINEXPLAIN"), ("SCANNER", "SOMEBODY")]
)
def test_strangers_are_turned_away(door, ct_series, calling, called):
    one = door()
    assert _send(one, _files(ct_series)[:1], calling, called) is None
    assert one.listing() == []


def test_a_full_disk_is_told_to_the_sender(door, ct_series):
    one = door(has_room=lambda: False)
    assert _send(one, _files(ct_series)[:1]) == [0xA700]
    assert one.listing() == []


def test_names_from_the_network_are_no_paths(tmp_path, door, ct_series):
    evil = pydicom.dcmread(_files(ct_series)[0])
    evil.SeriesInstanceUID = "../../../evil"
    evil.save_as(tmp_path / "evil.dcm")
    one = door()
    _send(one, [tmp_path / "evil.dcm"])
    assert not (tmp_path.parent / "evil").exists()
    inside = [path for path in (tmp_path / "spool").rglob("*.dcm")]
    assert all(path.is_relative_to(tmp_path / "spool") for path in inside)


def test_what_a_killed_node_left_half_received_is_swept(tmp_path):
    part = tmp_path / "spool" / "a" / "b" / "c.1.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    StorageMailbox(ScpSettings(), tmp_path / "spool", lambda: True)
    assert not part.exists()


def test_a_segmentation_of_the_study_is_found(tmp_path, door, ct_series, segmentation_file):
    one = door()
    _send(one, _files(ct_series))
    seg = "1.2.840.10008.5.1.4.1.1.66.4"
    assert _send(one, [segmentation_file], kind=seg) == [0]
    (arrival,) = one.listing()
    (found,) = one.segmentations(arrival.reference, tmp_path)
    assert pydicom.dcmread(found).Modality == "SEG"


@pytest.fixture
def result(tmp_path, segmentation_file) -> Path:
    return segmentation_file


def test_results_go_to_the_pacs(door, pacs, result):
    archive = pacs()
    one = door(pacs_host="127.0.0.1", pacs_port=archive.port, pacs_aet="PACS")
    one.deliver([result, result])
    uid = pydicom.dcmread(result).SOPInstanceUID
    assert archive.got == [uid, uid]


def test_a_pacs_that_refuses_or_is_absent_is_tried_again(door, pacs, result):
    archive = pacs(status=0xA700)
    one = door(pacs_host="127.0.0.1", pacs_port=archive.port, pacs_aet="PACS")
    with pytest.raises(MailboxError, match="refuses a result \\(0xa700\\)"):
        one.deliver([result])
    absent = door(pacs_host="127.0.0.1", pacs_port=9, pacs_aet="PACS")
    with pytest.raises(MailboxError, match="does not take our association"):
        absent.deliver([result])


def test_a_series_that_left_the_spool_is_tried_again(tmp_path, door):
    with pytest.raises(MailboxError, match="left the spool"):
        door().fetch("a/b", tmp_path)
