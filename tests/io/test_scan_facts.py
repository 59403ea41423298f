import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from spinexplain.data.phantom.write import write_phantom
from spinexplain.io.nifti import write_nifti
from spinexplain.io.scan_facts import PHANTOM_MARK, ScanFacts, facts_of, read_facts

STUDY = {
    "StudyDate": "20240131",
    "SeriesDescription": "BONE 1.0",
    "ConvolutionKernel": "B60s",
    "PatientAge": "067Y",
    "PatientSex": "F",
}
SAID = ScanFacts("2024-01-31", "2 BONE 1.0", "B60s", 2.0, "67 years", "F")


@pytest.fixture
def nifti(tmp_path):
    path = tmp_path / "scan_ct.nii.gz"
    write_nifti(path, np.full((4, 4, 4), -1000, np.int16), np.eye(4))
    return path


def test_a_series_says_study_kernel_age_and_sex_and_names_nobody(tmp_path, dicom):
    folder = dicom.folder(tmp_path / "ct", replace(dicom.volume(), tags=STUDY))
    facts = read_facts(folder)
    assert facts == SAID
    assert dicom.patient not in str(facts)


def test_an_enhanced_series_says_its_kernel_where_all_frames_share_it(tmp_path, dicom):
    from pydicom.dataset import Dataset

    dataset = dicom.enhanced(dicom.volume(), range(5))
    shared, how = dataset.SharedFunctionalGroupsSequence[0], Dataset()
    how.ConvolutionKernel = "Br60"
    shared.CTReconstructionSequence = [how]
    shared.PixelMeasuresSequence[0].SliceThickness = 3
    dicom.save(dataset, tmp_path / "enhanced")
    assert read_facts(tmp_path / "enhanced") == ScanFacts("", "2", "Br60", 3.0)


def test_tube_voltage_and_contrast_agent_where_they_are_named():
    said = facts_of({"KVP": "120", "ContrastBolusAgent": "Iomeprol 400"})
    assert (said.kv, said.contrast) == (120.0, True)
    assert not facts_of({"ContrastBolusAgent": "NONE"}).contrast
    assert facts_of({"KVP": "high"}).kv is None


def test_values_that_are_not_as_the_standard_has_them_are_left_out():
    odd = {"StudyDate": "yesterday", "PatientAge": "old", "PatientSex": "DOE^JANE"}
    odd |= {"SliceThickness": "thick", "SeriesDescription": None, "ConvolutionKernel": {"a": 1}}
    assert facts_of(odd) == ScanFacts()
    assert facts_of({"SliceThickness": float("nan")}).thickness_mm is None
    assert facts_of({"SeriesDescription": "a\nb\u202ec " + "x" * 200}).series.startswith("a bc x")


def test_a_sidecar_beside_nifti_says_the_same(nifti):
    sidecar = nifti.with_name("scan_ct.json")
    sidecar.write_text(json.dumps({**STUDY, "SeriesNumber": 2, "SliceThickness": 2.0}))
    assert read_facts(nifti) == SAID


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 10**5, '{"synthetic": "no"}'])
def test_a_sidecar_that_makes_no_sense_says_nothing(nifti, content):
    nifti.with_name("scan_ct.json").write_text(content)
    assert read_facts(nifti) == ScanFacts()


def test_a_phantom_says_so_wherever_its_ct_is_copied(tmp_path):
    write_phantom(tmp_path / "drawn", subjects=1, seed=3, preset="demo")
    (ct,) = (tmp_path / "drawn").rglob("*_ct.nii.gz")
    copy = tmp_path / "pseudonym.nii.gz"
    copy.write_bytes(ct.read_bytes())
    assert read_facts(ct).phantom
    assert read_facts(copy) == ScanFacts(phantom=True)
    assert bytes(nib.load(copy).header["descrip"]).rstrip(b"\0").decode() == PHANTOM_MARK
