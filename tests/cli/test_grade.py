import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from spinexplain.localizer.located import Localization


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The lumbar example, graded once for this module."""
    from pathlib import Path

    from spinexplain.jobs.grade import GradeRequest, grade_to_folder

    folder = Path(__file__).parent.parent / "data" / "totalsegmentator-example"
    out = tmp_path_factory.mktemp("grade") / "out"
    request = GradeRequest(
        ct=folder / "example_ct.nii.gz",
        labels=folder / "totalseg_vertebrae_pp_refined.nii.gz",
        out=out,
        all_heatmaps=True,
    )
    grade_to_folder(request)
    return out


@pytest.mark.slow
def test_writes_result_report_and_heat_maps(graded):
    result = json.loads((graded / "result.json").read_text())
    assert result["schema"] == "spinexplain/result/1"
    assert [row["level"] for row in result["vertebrae"]] == ["T12", "L1", "L2", "L3", "L4", "L5"]
    assert "</html>" in (graded / "report.html").read_text()
    assert list((graded / "heatmaps").glob("*.nii.gz"))


@pytest.mark.slow
def test_contributions_add_up_to_a_logit_that_gives_the_probabilities(graded):
    result = json.loads((graded / "result.json").read_text())
    for row in result["vertebrae"]:
        if row["grade"] is None:
            assert row["probabilities"] == {}
            assert any(flag.startswith("not_assessable: ") for flag in row["flags"])
            continue
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        for item in row["explanation"]["evidence"]:
            terms = item["terms"]
            product = terms["similarity"] * terms["connection"]
            assert item["score"] == pytest.approx(product, abs=1e-3)


@pytest.mark.slow
def test_heat_maps_lie_on_the_lattice_of_the_ct(graded, lumbar):
    ct = nib.load(lumbar[0])
    to_ct = np.linalg.inv(ct.affine)
    for path in (graded / "heatmaps").glob("*.nii.gz"):
        heat = nib.load(path)
        assert np.allclose(heat.affine[:3, :3], ct.affine[:3, :3], atol=1e-4)
        first = to_ct @ heat.affine[:, 3]
        assert np.allclose(first, first.round(), atol=1e-3)
        assert np.all(first[:3].round() >= 0)
        assert np.all(first[:3].round() + heat.shape <= ct.shape)
        assert heat.get_fdata().max() > 0


@pytest.mark.slow
def test_centroids_alone_are_settled_and_have_heights_on_painted_bodies(
    spinexplain, thoracic, tmp_path
):
    ct, centroids = thoracic
    out = tmp_path / "out"
    ended = spinexplain("grade", ct, "--centroids", centroids, "-o", out)
    assert ended.code == 0, ended.err
    result = json.loads((out / "result.json").read_text())
    assert any(row["heights"] for row in result["vertebrae"])
    moved_mm = result["inputs"]["settled_mm"]
    assert moved_mm.keys() == {row["level"] for row in result["vertebrae"]}
    assert 0 < max(moved_mm.values()) <= 8.0
    assert "moved to the middle of the body" in (out / "report.html").read_text(encoding="utf-8")
    assert str(out / "report.html") in ended.out


def test_nothing_but_a_scan_without_a_spine(spinexplain, lumbar, tmp_path, pretend_localizer):
    pretend_localizer(Localization(refused="it shows a neck"))
    ended = spinexplain("grade", lumbar[0], "-o", tmp_path / "out")
    assert ended.code == 2
    assert "it shows a neck" in ended.line


def test_an_existing_output_is_kept(spinexplain, lumbar, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("precious")
    for extra in ([], ["--force"]):
        ended = spinexplain("grade", lumbar[0], "--labels", lumbar[1], "-o", out, *extra)
        assert ended.code == 2
    assert (out / "notes.txt").read_text() == "precious"


def test_a_model_that_is_not_there_leaves_nothing_behind(spinexplain, lumbar, tmp_path):
    out = tmp_path / "out"
    ended = spinexplain(
        "grade", lumbar[0], "--labels", lumbar[1], "-o", out, "--model", tmp_path / "no-model"
    )
    assert ended.code == 2
    assert "no-model" in ended.line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_localizer_of_ones_own_finds_the_vertebrae(spinexplain, lumbar, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    ct, mask = lumbar
    command = [sys.executable, str(Path(__file__).parent / "fake_localizer.py"), str(mask)]
    config = tmp_path / "tools.toml"
    config.write_text(
        "[localizers.mine]\n"
        f"command = {json.dumps([*command, '{ct}', '{out}'])}\n"
        'output = "vertebrae.nii.gz"\n'
    )
    out = tmp_path / "out"
    arguments = ["grade", ct, "--localizer", "mine", "--localizer-config", config, "-o", out]
    ended = spinexplain(*arguments)
    assert ended.code == 0, ended.err
    assert "segmenting 50 %" in ended.err
    result = json.loads((out / "result.json").read_text())
    assert [row["level"] for row in result["vertebrae"]][-1] == "L5"
    again = spinexplain(*arguments, "--force")
    assert again.code == 0
    assert "segmenting" not in again.err  # kept from the first time


def test_a_localizer_that_is_not_known(spinexplain, lumbar, tmp_path):
    ended = spinexplain("grade", lumbar[0], "--localizer", "totalsegmentater", "-o", tmp_path / "o")
    assert ended.code == 2
    assert "totalsegmentator" in ended.line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ct\n\x1b[31m.nii.gz", "ct\udcff\udcfe.nii.gz"])
def test_a_file_name_no_text_can_hold_is_shown_without_its_odd_characters(
    spinexplain, lumbar, tmp_path, name
):
    (tmp_path / name).symlink_to(lumbar[0].resolve())
    out = tmp_path / "out"
    ended = spinexplain("grade", tmp_path / name, "--labels", lumbar[1], "-o", out)
    assert ended.code == 0
    result = json.loads((out / "result.json").read_text("utf-8"))
    assert result["ct"]["name"].startswith("ct?")
    assert result["ct"]["name"].isprintable()
    assert "\x1b" not in (out / "report.html").read_text("utf-8")
