from pathlib import Path

import pytest

from spinexplain.errors import ConfigError
from spinexplain.jobs.fracture import FractureRequest, fracture_to_folder

EXAMPLE = Path(__file__).parent.parent / "data" / "totalsegmentator-example"
CT = EXAMPLE / "example_ct.nii.gz"
MASK = EXAMPLE / "totalseg_vertebrae_pp_refined.nii.gz"


def test_five_files_and_three_stages(tmp_path, listener):
    fracture_to_folder(FractureRequest(CT, MASK, "L2", tmp_path / "out"), listener)
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == [
        "centroids.json",
        "ct.nii.gz",
        "displacement.json",
        "evidence.nii.gz",
        "labels.nii.gz",
    ]
    assert listener.stages == ["read", "fracture", "write"]


def test_a_cervical_level_is_refused_before_anything_is_read(tmp_path):
    request = FractureRequest(tmp_path / "no.nii.gz", tmp_path / "no.nii.gz", "C7", tmp_path / "o")
    with pytest.raises(ConfigError, match="C7"):
        fracture_to_folder(request)
    assert list(tmp_path.iterdir()) == []
