"""The shipped networks, run by OpenVINO and by torch: the same spine."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spinexplain.errors import ModelError
from spinexplain.localizer.export import export_networks
from spinexplain.localizer.manifest import GRAPH_FILES, MANIFEST, NAMES
from spinexplain.localizer.networks import load_networks, shipped_folder, shipped_networks
from spinexplain.localizer.own import find_vertebrae
from spinexplain.reproduce.real_scans import WHOLE, real_scan


@dataclass(frozen=True)
class Near:
    """How far centers, probabilities, and which share of all masks' voxels may differ."""

    center_mm: float
    probability: float
    mask_share: float


BY_ROUNDING = Near(center_mm=1e-3, probability=1e-4, mask_share=1e-4)
ON_A_FACE = Near(center_mm=0.1, probability=5e-3, mask_share=0.01)
"""Where a sample of the straightened spine lies on the very face of the scan: a rounding of 1e-5 mm
decides whether it is bone or air, which moves what follows. In the crop there is one."""


def same_by_both(volume, near):
    one, other = (
        find_vertebrae(volume, networks=shipped_networks(runtime=runtime))
        for runtime in ("openvino", "torch")
    )
    assert [v.level for v in one.vertebrae] == [v.level for v in other.vertebrae]
    assert [v.flags for v in one.vertebrae] == [v.flags for v in other.vertebrae]
    places = [np.array([v.centroid_mm for v in found.vertebrae]) for found in (one, other)]
    assert np.abs(places[0] - places[1]).max() < near.center_mm
    chances = [[n.probability for n in found.localization.namings] for found in (one, other)]
    assert chances[0] == pytest.approx(chances[1], abs=near.probability)
    masks = [found.bodies.labels.array for found in (one, other)]
    assert np.count_nonzero(masks[0]) > 1000
    unlike = np.count_nonzero(masks[0] != masks[1])
    assert unlike <= near.mask_share * np.count_nonzero(masks[0])
    assert one.bodies.doubts == other.bodies.doubts


@pytest.mark.parametrize("name", list(WHOLE))
def test_a_real_scan_is_the_same_in_both(name):
    near = ON_A_FACE if name == "crop" else BY_ROUNDING
    same_by_both(real_scan(Path(__file__).parents[1] / "data", name).volume, near)


def test_a_phantom_is_the_same_in_both(demo_scan):
    same_by_both(demo_scan.image.volume, BY_ROUNDING)


def test_what_is_shipped_is_what_an_export_of_the_weights_gives(tmp_path):
    for path in shipped_folder().iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    for path in (*tmp_path.glob("*.xml"), *tmp_path.glob("*.bin")):
        path.unlink()
    export_networks(tmp_path)
    for name in (MANIFEST, *(f"{name}{ending}" for name in NAMES for ending in GRAPH_FILES)):
        assert (tmp_path / name).read_bytes() == (shipped_folder() / name).read_bytes()
    assert load_networks(tmp_path, runtime="openvino").info == shipped_networks().info


def test_weights_that_were_changed_are_not_exported(tmp_path):
    for path in shipped_folder().iterdir():
        shutil.copyfile(path, tmp_path / path.name)
    weights = tmp_path / "curve.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"curve\.safetensors has SHA-256"):
        export_networks(tmp_path)


def test_all_together_stay_small():
    assert sum(path.stat().st_size for path in shipped_folder().iterdir()) < 12e6
