import re
import stat
import zipfile
from types import SimpleNamespace

import pydicom
import pytest

from app.conftest import act, add_ready
from app.test_intake import added
from dicom_out.conftest import series_of, write_series
from fixtures.scans import LUMBAR
from spinexplain.app.patients import prior_of, pseudonym_of
from spinexplain.app.schema import Scan


def scan(name, patient, study_date, added_at, state="ready"):
    return SimpleNamespace(
        id=name, patient=patient, study_date=study_date, added_at=added_at, state=state
    )


NOW = scan("now", "P", "2024-05-01", "t5")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([scan("a", "P", "2022-01-01", "t9"), scan("b", "P", "2023-01-01", "t1")], "b"),
        ([scan("later", "P", "2025-01-01", "t1")], None),  # sent before, taken after
        ([scan("another's", "Q", "2023-01-01", "t1")], None),
        ([scan("ungraded", "P", "2023-01-01", "t1", "refused")], None),
        ([scan("undated", "P", None, "t4"), scan("undated later", "P", None, "t6")], "undated"),
        ([scan("same day", "P", "2024-05-01", "t1")], "same day"),
        ([NOW], None),
    ],
)
def test_the_latest_earlier_scan_of_the_same_patient_is_the_prior(others, expected):
    found = prior_of(NOW, others)
    assert (found and found.id) == expected


def test_a_scan_of_nobody_known_has_no_prior():
    assert prior_of(scan("x", None, None, "t5"), [scan("y", None, None, "t1")]) is None


def zipped(folder, patient):
    """Write a series of one patient as a zip."""
    write_series(folder / "series", series_of())
    with zipfile.ZipFile(folder / "ct.zip", "w") as archive:
        for path in sorted((folder / "series").iterdir()):
            dataset = pydicom.dcmread(path)
            dataset.PatientID = patient
            dataset.save_as(path)
            archive.write(path, path.name)
    return folder / "ct.zip"


def test_series_of_one_patient_are_known_again_and_nobody_is_named(server, tmp_path):
    names = ("4711", "4711", "4712", "")
    made = [zipped(tmp_path / f"{number}", name) for number, name in enumerate(names)]
    scans = [added(server, ct=path) for path in made]
    first, again, other, nobody = (pseudonym_of(server.folder, scan_id) for scan_id in scans)
    assert first == again
    assert re.fullmatch("patient [0-9a-f]{16}", first)
    assert other not in (first, None)
    assert nobody is None
    assert stat.S_IMODE(server.folder.secret.stat().st_mode) == 0o600
    assert [p.name for p in server.folder.root.iterdir() if p.suffix == ".key"] == ["patients.key"]
    server.folder.secret.unlink()  # another server's key: another name
    assert pseudonym_of(server.folder, scans[0]) not in (first, None)


def test_nifti_does_not_say_whose_it_is(server):
    assert pseudonym_of(server.folder, added(server, ct=LUMBAR / "example_ct.nii.gz")) is None
    assert not server.folder.secret.exists()


def test_the_prior_is_proposed_and_any_other_can_be_chosen(server, drawn):
    dated = {"before": "2020-03-01", "now": "2024-03-01"}
    made = {name: add_ready(server, drawn, name) for name in ("before", "now", "stranger")}
    with server.database.writing() as session:
        for name, day in dated.items():
            session.get(Scan, made[name]).patient = "P-7"
            session.get(Scan, made[name]).study_date = day
    client = server.client()
    page = client.get(f"/scans/{made['now']}/").text
    assert f'href="beside/{made["before"]}">Prior scan of this patient: before, 2020-03-01' in page
    assert f'<option value="{made["before"]}" selected>' in page
    assert f'<option value="{made["stranger"]}">stranger' in page
    assert "Prior scan of this patient" not in client.get(f"/scans/{made['before']}/").text
    by_hand = client.get(f"/scans/{made['now']}/beside/{made['stranger']}").text
    assert "Chosen by hand" in by_hand
    assert "Chosen by hand" not in client.get(f"/scans/{made['now']}/beside/{made['before']}").text


def test_a_scan_that_is_not_open_to_a_reader_is_not_proposed(server, drawn):
    token, reader = server.account("ada", "reader")
    server.account("root", "admin")
    made = [add_ready(server, drawn, "closed"), add_ready(server, drawn, "open", reader)]
    with server.database.writing() as session:
        for scan_id in made:
            session.get(Scan, scan_id).patient = "P"
    page = server.client(token).get(f"/scans/{made[1]}/").text
    assert "closed" not in page
    assert act(server.client(token), made[1], "viewed").status_code == 201
