from dataclasses import replace

import nibabel
import numpy as np
import pytest

from spinexplain.analysis.explanations.foreign import foreign_maps
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.geometry import BoxFrame


def write_all(bench, folder, maps):
    for name, heatmap in zip(bench.names, maps, strict=True):
        shown = heatmap if heatmap.ndim == 3 else heatmap[..., None]
        write(folder / f"{name}.nii.gz", shown)


def write(path, array):
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, np.float32), np.eye(4)), path)


def test_maps_on_the_crop_and_on_its_margin(drawn, tmp_path, oracle_maps):
    for folder, maps in (
        (tmp_path / "crop", oracle_maps),
        (tmp_path / "margin", np.pad(oracle_maps, ((0, 0), (16, 16), (16, 16)))),
    ):
        folder.mkdir()
        write_all(drawn.bench, folder, maps)
        assert np.allclose(foreign_maps(folder, drawn.bench), oracle_maps)


def test_values_below_0_are_not_evidence(drawn, tmp_path, oracle_maps):
    write_all(drawn.bench, tmp_path, oracle_maps - 1)
    assert not foreign_maps(tmp_path, drawn.bench).any()


def test_a_missing_map_is_named(drawn, tmp_path, oracle_maps):
    write_all(drawn.bench, tmp_path, oracle_maps)
    (tmp_path / f"{drawn.bench.names[2]}.nii.gz").unlink()
    with pytest.raises(ConfigError, match=drawn.bench.names[2]):
        foreign_maps(tmp_path, drawn.bench)


def test_a_map_on_a_ct_needs_a_ct(drawn, tmp_path, oracle_maps):
    write_all(drawn.bench, tmp_path, np.zeros((len(drawn.bench), 30, 30, 30)))
    with pytest.raises(ConfigError, match="drawn directly"):
        foreign_maps(tmp_path, drawn.bench)


def test_a_map_on_the_ct_is_sampled_where_the_crop_lies(drawn_boxes, tmp_path):
    from spinexplain.analysis.explanations.bench import bench_rows, open_bench
    from spinexplain.config.training import InputSpec

    spec = InputSpec(axes=3, extent_mm=64, size=64, channels=("ct",))
    bench = open_bench(drawn_boxes, bench_rows(drawn_boxes, 3, None, 1, 0), spec)
    directions = np.array([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]])
    frame = BoxFrame(np.array([50.0, 50.0, 50.0]), directions, (64, 64, 64), 1.0)
    bench = replace(bench, frames=(frame,))
    ct = np.zeros((100, 101, 102), np.float32)
    ct[48:54, 48:54, 70:76] = 1.0  # 20 mm above the middle of the box
    write(tmp_path / f"{bench.names[0]}.nii.gz", ct)
    found = foreign_maps(tmp_path, bench)[0]
    peak = np.unravel_index(found.argmax(), found.shape)
    assert np.abs(np.array(peak) * 2 + 0.5 - [31.5 - 22.5, 31.5, 31.5]).max() < 3


def test_broken_maps_are_refused(drawn, tmp_path, oracle_maps):
    write_all(drawn.bench, tmp_path, oracle_maps)
    first = tmp_path / f"{drawn.bench.names[0]}.nii.gz"
    write(first, np.full((112, 112, 1), np.nan))
    with pytest.raises(FileFormatError, match="NaN"):
        foreign_maps(tmp_path, drawn.bench)
    first.write_bytes(b"not a NIfTI")
    with pytest.raises(FileFormatError, match="cannot be read"):
        foreign_maps(tmp_path, drawn.bench)
