"""Heat maps that somebody else computed, as NIfTI files: one for each vertebra of a bench."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

from spinexplain.analysis.explanations.bench import Bench, CropFrame
from spinexplain.data.schema import MARGIN_SHAPE_2D, MARGIN_SHAPE_3D
from spinexplain.errors import ConfigError, FileFormatError
from spinexplain.spine.sampling import sample_volume
from spinexplain.types import Volume

_MARGIN = {2: MARGIN_SHAPE_2D[0], 3: MARGIN_SHAPE_3D[0]}


def foreign_maps(folder: Path, bench: Bench) -> np.ndarray:
    """Read the heat map of every vertebra of a bench.

    Parameters
    ----------
    folder : Path
        Holds ``<subject>_<level>.nii.gz`` (or ``<subject>_<series>_<level>.nii.gz`` where the
        bench's names say so) for every vertebra. A map with as many samples as the crop lies
        on the crop, or with the stored margin around it; any other lies on the CT, by its
        affine, and is sampled where the crop lies.
    bench : Bench

    Returns
    -------
    ndarray of float32, shape (n, *R)
        On the scored grid, not below 0.

    Raises
    ------
    ConfigError
        If a map is missing, or lies on a CT while the crop was drawn without one.
    """
    maps = []
    for row, name in enumerate(bench.names):
        path = next((p for p in _candidates(folder, name) if p.is_file()), None)
        if path is None:
            raise ConfigError(
                f"{folder}: has no map {name}.nii.gz; expected one NIfTI for each of the "
                f"{len(bench)} vertebrae. Write the missing ones, or score fewer vertebrae."
            )
        maps.append(bench.scored(np.clip(_on_crop(path, bench, row), 0, None)))
    return np.stack(maps)


def _candidates(folder: Path, name: str) -> list[Path]:
    if Path(name).name != name:
        return []
    return [folder / f"{name}.nii.gz", folder / f"{name}.nii"]


def _on_crop(path: Path, bench: Bench, row: int) -> np.ndarray:
    volume = _read(path)
    side, axes = bench.hu.shape[1], bench.axes
    given = volume.array[..., 0] if axes == 2 and volume.array.shape[2] == 1 else volume.array
    if given.ndim == axes and given.shape in {(side,) * axes, (_MARGIN[axes],) * axes}:
        start = (given.shape[0] - side) // 2
        return np.asarray(given[(slice(start, start + side),) * axes], np.float32)
    return _from_ct(path, volume, bench, row)


def _read(path: Path) -> Volume:
    """Read a NIfTI of one map; a single slice too, which is no CT."""
    try:
        image = nibabel.load(path)
        array = np.asarray(image.dataobj, np.float32)  # type: ignore[attr-defined]
        array = array.reshape(array.shape + (1,) * (3 - array.ndim))
        volume = Volume(array, np.asarray(image.affine, float))  # type: ignore[attr-defined]
    except (nibabel.filebasedimages.ImageFileError, OSError, ValueError, EOFError) as error:
        raise FileFormatError(
            f"{path}: cannot be read as NIfTI ({error}); expected one 2-D or 3-D heat map. "
            "Write it again."
        ) from None
    if not np.isfinite(array).all():
        raise FileFormatError(f"{path}: holds NaN or infinity; expected finite numbers.")
    return volume


def _from_ct(path: Path, volume: Volume, bench: Bench, row: int) -> np.ndarray:
    if isinstance(bench.frames[row], CropFrame):
        raise ConfigError(
            f"{path}: has shape {volume.array.shape}; expected {bench.hu.shape[1:]}, because this "
            "vertebra was drawn directly and lies in no CT. Give the map on the crop."
        )
    return sample_volume(volume, bench.frames[row], smooth=False)[0]
