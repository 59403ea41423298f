"""Both commands of the localizer: centers by ``localize``, a mask by ``segment``."""

import pytest

from fixtures.localizers import localization_of
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.localizer.located import Localization
from spinexplain.spine.localize import vertebrae_from_mask

both = pytest.mark.parametrize(
    ("command", "name"), [("localize", "ctd.json"), ("segment", "mask.nii.gz")]
)


@both
def test_what_was_found_is_said_and_written(
    spinexplain, lumbar, tmp_path, pretend_localizer, command, name
):
    ct, mask = lumbar
    pretend_localizer(localization_of(vertebrae_from_mask(read_labels(mask))[1:4]))
    out = tmp_path / name
    ended = spinexplain(command, ct, "-o", out)
    assert ended.code == 0, ended.err
    assert "Found 3 vertebrae: L1\u2013L3." in ended.out
    assert f"written: {out}" in ended.out
    read = (
        vertebrae_from_mask(read_labels(out))
        if command == "segment"
        else read_centroids(out, read_volume(ct))
    )
    assert [one.level.value for one in read] == ["L1", "L2", "L3"]


@both
def test_a_scan_of_something_else_is_one_line(
    spinexplain, lumbar, tmp_path, pretend_localizer, command, name
):
    pretend_localizer(Localization(refused="it shows a block"))
    ended = spinexplain(command, lumbar[0], "-o", tmp_path / name)
    assert ended.code == 2
    assert "it shows a block" in ended.line
    assert list(tmp_path.iterdir()) == []


@both
def test_a_first_level_that_is_none(spinexplain, lumbar, tmp_path, command, name):
    ended = spinexplain(command, lumbar[0], "--first-level", "X1", "-o", tmp_path / name)
    assert ended.code == 2
    assert "'X1'" in ended.line
