"""What Image Type says of an image: a scan, a map of something else, or values that were computed.

Multi-energy scanners write maps of materials, of atomic numbers and of electron densities in the
class of CT images, beside images in HU. Work stations add projections of thick slabs.
"""

from __future__ import annotations

from collections.abc import Iterable

# Value 4 of multi-energy images (DICOM PS3.3 C.8.15.2.1.1.5) and names of projections.
_NO_SCANS = {
    "MAT_SPECIFIC": "amounts of a material",
    "MAT_FRACTIONAL": "shares of a material",
    "MAT_VALUE_BASED": "values of a material",
    "EFF_ATOMIC_NUM": "atomic numbers",
    "ELECTRON_DENSITY": "electron densities",
    "MIP": "a projection of a slab",
    "MAX_IP": "a projection of a slab",
    "MINIP": "a projection of a slab",
    "MIN_IP": "a projection of a slab",
    "VOLUME_RENDER": "a picture of surfaces",
    "SURFACE_RENDER": "a picture of surfaces",
}
_COMPUTED = {
    "VMI": "for X-rays of one energy",
    "MAT_REMOVED": "with a material removed",
    "MAT_MODIFIED": "with a material highlighted",
}


def no_scan(image_type: Iterable[object] | None) -> str:
    """Say why an image is no scan in HU; empty where Image Type does not speak against it.

    Parameters
    ----------
    image_type : iterable or None
        Values of Image Type, or of Frame Type.

    Examples
    --------
    >>> no_scan(["DERIVED", "PRIMARY", "AXIAL", "EFF_ATOMIC_NUM"])
    'atomic numbers (Image Type EFF_ATOMIC_NUM), expected HU'
    >>> no_scan(["ORIGINAL", "PRIMARY", "AXIAL"])
    ''
    """
    found = [value for value in _values(image_type) if value in _NO_SCANS]
    return f"{_NO_SCANS[found[0]]} (Image Type {found[0]}), expected HU" if found else ""


def computed_values(image_type: Iterable[object] | None) -> str:
    """Say how values in HU were computed; empty for those that were measured.

    Examples
    --------
    >>> computed_values(["DERIVED", "PRIMARY", "AXIAL", "VMI"])
    'for X-rays of one energy (Image Type VMI)'
    """
    found = [value for value in _values(image_type) if value in _COMPUTED]
    return f"{_COMPUTED[found[0]]} (Image Type {found[0]})" if found else ""


def is_scout(image_type: Iterable[object] | None) -> bool:
    """Whether Image Type says that an image is a localizer.

    Examples
    --------
    >>> is_scout(["ORIGINAL", "PRIMARY", "LOCALIZER"]), is_scout(None)
    (True, False)
    """
    return "LOCALIZER" in _values(image_type)


def _values(image_type: Iterable[object] | None) -> list[str]:
    several = [image_type] if isinstance(image_type, str) else image_type or ()
    return [str(value).strip().upper() for value in several]
