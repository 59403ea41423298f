import gzip
import os
import stat
import time
import zipfile

import pytest

from app.conftest import state_of
from fixtures.scans import LUMBAR
from spinexplain.app.accounts import local_account
from spinexplain.app.intake import add_examples, copy_in, new_scan, queue, take_watched
from spinexplain.app.schema import Scan
from spinexplain.app.worker import grade_next
from spinexplain.errors import FileFormatError

CT = LUMBAR / "example_ct.nii.gz"
MASK = LUMBAR / "totalseg_vertebrae_pp_refined.nii.gz"


def scans(server):
    from sqlalchemy import select

    with server.database.reading() as session:
        return list(session.scalars(select(Scan).order_by(Scan.added_at)))


def added(server, **files):
    with server.database.writing() as session:
        scan = new_scan(session, "../<b>made", None, local_account(session).id)
        for kind, path in files.items():
            copy_in(server.folder, scan, kind, path)
        queue(session, server.folder, scan.id)
    return scan.id


def watched(server, name, *files, age=60):
    place = server.folder.watched / name
    place.mkdir()
    for path in files:
        (place / path.name).write_bytes(path.read_bytes())
        os.utime(place / path.name, (time.time() - age,) * 2)


def test_names_of_files_are_the_servers_own(server):
    scan_id = added(server, ct=CT, labels=MASK)
    names = [p.name for p in server.folder.scan(scan_id).rglob("*") if p.is_file()]
    assert names == ["b-made.nii.gz"] * 2


def test_a_file_is_what_its_bytes_say(server, tmp_path):
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(gzip.decompress(CT.read_bytes()))  # not packed, whatever its name
    scan_id = added(server, ct=path)
    assert server.folder.input(scan_id, "ct").suffix == ".nii"


def test_examples_are_taken_in_once(server):
    for _ in range(2):
        add_examples(server.database, server.folder)
    assert [scan.name for scan in scans(server)] == ["lumbar example", "thoracic example"]
    assert {scan.state for scan in scans(server)} == {"queued"}


@pytest.mark.parametrize("identified", [True, False])
def test_a_watched_folder_is_taken_in_when_it_is_quiet(server, identified):
    watched(server, "Doe John", CT)
    take_watched(server.database, server.folder, identified)
    (scan,) = scans(server)
    assert scan.state == "queued"
    assert ("Doe" in scan.name) is identified
    assert list(server.folder.watched.iterdir()) == []


def test_a_folder_that_is_still_written_to_waits(server):
    watched(server, "new", CT, age=0)
    take_watched(server.database, server.folder, False)
    assert scans(server) == []


def test_two_scans_in_one_folder_are_refused_in_words(server, tmp_path):
    other = tmp_path / "second.nii.gz"
    other.write_bytes(CT.read_bytes())
    watched(server, "both", CT, other)
    take_watched(server.database, server.folder, False)
    (scan,) = scans(server)
    assert scan.state == "refused"
    assert "two files" in scan.message


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(3):
            archive.writestr(f"{index}.dcm", b"\0" * (100 * 2**20))


def escape(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../outside.dcm", b"x" * 500)


def link(path):
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("link.dcm")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")


def nested(path):
    inner = path.with_suffix(".inner")
    bomb(inner)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "series.zip")
    inner.unlink()


@pytest.mark.parametrize("make", [escape, link, nested, bomb])
def test_a_bad_zip_is_refused_as_the_command_line_does(server, tmp_path, make):
    path = tmp_path / "series.zip"
    make(path)
    scan_id = added(server, ct=path, labels=MASK)
    assert grade_next(server.database, server.folder)
    scan = state_of(server, scan_id)
    assert scan.state == "refused"
    assert scan.message
    assert str(server.folder.root) not in scan.message
    assert not (tmp_path.parent / "outside.dcm").exists()
    assert not server.folder.graded(scan_id).exists()


def test_a_scan_without_ct_is_not_queued(server):
    with server.database.writing() as session:
        scan = new_scan(session, "x", None, local_account(session).id)
        with pytest.raises(FileFormatError, match="no CT"):
            queue(session, server.folder, scan.id)
