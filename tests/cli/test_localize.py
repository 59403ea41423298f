from fixtures.localizers import localization_of
from spinexplain.io.nifti import read_labels
from spinexplain.localizer.located import Localization
from spinexplain.spine.localize import vertebrae_from_mask


def test_what_was_found_is_said_and_written(spinexplain, lumbar, tmp_path, pretend_localizer):
    ct, mask = lumbar
    pretend_localizer(localization_of(vertebrae_from_mask(read_labels(mask))[1:4]))
    out = tmp_path / "ctd.json"
    ended = spinexplain("localize", ct, "-o", out)
    assert ended.code == 0, ended.err
    assert "Found 3 vertebrae: L1\u2013L3." in ended.out
    assert f"written: {out}" in ended.out
    assert out.is_file()


def test_a_scan_of_something_else_is_one_line(spinexplain, lumbar, tmp_path, pretend_localizer):
    pretend_localizer(Localization(refused="it shows a block"))
    ended = spinexplain("localize", lumbar[0], "-o", tmp_path / "ctd.json")
    assert ended.code == 2
    assert "it shows a block" in ended.line
    assert list(tmp_path.iterdir()) == []


def test_a_first_level_that_is_none(spinexplain, lumbar, tmp_path):
    ended = spinexplain("localize", lumbar[0], "--first-level", "X1", "-o", tmp_path / "ctd.json")
    assert ended.code == 2
    assert "'X1'" in ended.line
