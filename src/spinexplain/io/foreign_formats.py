"""Which format a file has that should have been NIfTI, for a message that helps."""

from __future__ import annotations

_ADVICE = "convert it to NIfTI (.nii.gz)"


def foreign_format(head: bytes) -> str:
    """Name the format of a file that is no NIfTI, and what to do; empty if unknown.

    Parameters
    ----------
    head : bytes
        At least its first 132 bytes, where there are as many.

    Examples
    --------
    >>> foreign_format(b"NRRD0004" + bytes(130))
    'an NRRD file, as 3D Slicer writes: convert it to NIfTI (.nii.gz)'
    >>> foreign_format(bytes(348))
    ''
    """
    if head[128:132] == b"DICM":
        return f"a DICOM file (perhaps a segmentation, SEG): {_ADVICE}"
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it and give the file itself, or the folder of its slices"
    starts = {
        b"NRRD": f"an NRRD file, as 3D Slicer writes: {_ADVICE}",
        b"ObjectType": f"a MetaImage file (.mha or .mhd): {_ADVICE}",
        b"\x89HDF": f"an HDF5 file: {_ADVICE}",
        b"\x93NUMPY": f"a NumPy array (.npy) without a place in the patient: {_ADVICE}",
        b"PK\x03\x04": "a zip: unpack it and give the file itself",
        b"Rar!": "a RAR archive: unpack it and give the file itself",
        b"7z\xbc\xaf": "a 7z archive: unpack it and give the file itself",
        b"\xfd7zXZ": "an xz archive: unpack it and give the file itself",
        b"BZh": "a bzip2 archive: unpack it and give the file itself",
        b"{": "a JSON file: give centroids with --centroids",
    }
    return next((said for start, said in starts.items() if head.startswith(start)), "")
