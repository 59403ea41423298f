"""Turn HU and heat maps into pictures that can stand inside one HTML file.

Pictures are encoded once and referred to by id: a patch appears several times in its card,
a prototype in several cards, and neither should be in the file more than once.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass, field

import numpy as np
from matplotlib import colormaps
from PIL import Image
from scipy.ndimage import zoom

from spinexplain.config.palette import BONE_WINDOW_HU
from spinexplain.ui.tokens import EVIDENCE_COLORMAP

_PNG_LEVEL = 4  # a twentieth larger than by default, in less than half the time


@dataclass(frozen=True)
class Picture:
    """An encoded picture: an id for ``<use>``, its size in patch samples, and its bytes.

    Parameters
    ----------
    id : str
        Starts with a letter, made from the content.
    width, height : int
        Extent in samples of the patch it was made from, not in encoded pixels.
    uri : str
        A ``data:`` URI with a PNG.
    """

    id: str
    width: int
    height: int
    uri: str


@dataclass
class Album:
    """The pictures of one report, each content held once."""

    pictures: dict[str, Picture] = field(default_factory=dict)

    def add_ct(self, array_hu: np.ndarray, detail: int = 3) -> Picture:
        """Add a sagittal or coronal picture in the bone window.

        Parameters
        ----------
        array_hu : ndarray, shape (rows, columns)
            HU, drawn upright: row 0 on top.
        detail : int
            Encoded pixels per sample; in between is cubic.
        """
        key = _key("ct", detail, array_hu)
        if key not in self.pictures:
            pixels = window_hu(upsample(array_hu, detail))
            self.pictures[key] = _encode(key, pixels, array_hu.shape)
        return self.pictures[key]

    def add_wash(self, heatmap: np.ndarray, top: float, detail: int = 2) -> Picture:
        """Add a heat map as color over transparency; ``top`` is its brightest value."""
        key = _key(f"wash {top!r}", detail, heatmap)
        if key not in self.pictures:
            pixels = wash_rgba(upsample(heatmap, detail), top)
            self.pictures[key] = _encode(key, pixels, heatmap.shape)
        return self.pictures[key]


def _key(kind: str, detail: int, array: np.ndarray) -> str:
    """Name a picture by what it is made from, so that equal ones are not made twice."""
    array = np.ascontiguousarray(array, dtype=np.float32)
    made_from = f"{kind} {detail} {array.shape}".encode() + array.tobytes()
    return "p" + hashlib.sha256(made_from).hexdigest()[:16]


def _encode(key: str, pixels: np.ndarray, shape: tuple[int, ...]) -> Picture:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=_PNG_LEVEL)
    uri = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Picture(key, shape[1], shape[0], uri)


def upsample(array: np.ndarray, factor: int) -> np.ndarray:
    """Interpolate a picture with cubic splines onto a grid ``factor`` times as fine.

    Samples are pixels of finite size here, so the corners of the picture stay in place.

    Parameters
    ----------
    array : ndarray, shape (rows, columns)
    factor : int

    Returns
    -------
    ndarray of float32, shape (factor * rows, factor * columns)
        Never outside the range of ``array``: a spline would ring at the edge of metal.

    Examples
    --------
    >>> upsample(np.ones((2, 3)), 2).shape
    (4, 6)
    """
    array = np.asarray(array, dtype=np.float32)
    if factor == 1:
        return array
    fine = zoom(array, factor, order=3, mode="nearest", grid_mode=True)
    return np.clip(fine, array.min(), array.max())


def window_hu(array_hu: np.ndarray, window: tuple[float, float] = BONE_WINDOW_HU) -> np.ndarray:
    """Map HU to gray, black at the lower and white at the upper end of the window.

    Examples
    --------
    >>> window_hu(np.array([[-1000.0, 400.0, 2000.0]])).tolist()
    [[0, 128, 255]]
    """
    low, high = window
    return np.round(np.clip((array_hu - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def wash_rgba(heatmap: np.ndarray, top: float) -> np.ndarray:
    """Color a heat map with alpha from zero: no evidence, no color.

    Parameters
    ----------
    heatmap : ndarray, shape (rows, columns)
    top : float
        Value drawn opaque and brightest, shared by maps that are compared.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 4)
    """
    share = np.clip(heatmap / top, 0, 1) if top > 0 else np.zeros_like(heatmap)
    rgba = colormaps[EVIDENCE_COLORMAP](share, bytes=True)
    rgba[..., 3] = np.round(255 * share)
    return rgba
