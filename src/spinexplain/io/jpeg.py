"""JPEG streams of DICOM decoded by SimpleITK, as a plug-in of pydicom.

Of the plug-ins that pydicom knows, the permissive ones read JPEG of 8 bits only; CT has 12 to
16. SimpleITK is installed in any case and reads every process that DICOM still uses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.pixels.decoders.base import DecodeRunner

PLUGIN = "simpleitk"
DECODER_DEPENDENCIES = {
    "1.2.840.10008.1.2.4.50": ("SimpleITK",),  # baseline, 8 bits
    "1.2.840.10008.1.2.4.51": ("SimpleITK",),  # extended, 12 bits
    "1.2.840.10008.1.2.4.57": ("SimpleITK",),  # lossless
    "1.2.840.10008.1.2.4.70": ("SimpleITK",),  # lossless, first-order prediction
}
"""Transfer syntaxes that are decoded here; pydicom asks for this name."""

_KEPT = (
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PhotometricInterpretation",
)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def is_available(uid: str) -> bool:
    """Whether a transfer syntax is decoded here; pydicom asks before it takes a plug-in.

    Examples
    --------
    >>> is_available("1.2.840.10008.1.2.4.70"), is_available("1.2.840.10008.1.2.4.90")
    (True, False)
    """
    return uid in DECODER_DEPENDENCIES


def decoding_plugin(uid: str) -> str:
    """Name the plug-in that decodes a transfer syntax; empty leaves the choice to pydicom.

    The plug-in is registered with pydicom on its first use. JPEG is decoded by it alone, so
    that a series has the same values whatever else is installed.

    Examples
    --------
    >>> decoding_plugin("1.2.840.10008.1.2.4.70"), decoding_plugin("1.2.840.10008.1.2.4.90")
    ('simpleitk', '')
    """
    if not is_available(uid):
        return ""
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    decoder = get_decoder(UID(uid))
    if PLUGIN not in decoder.available_plugins:
        decoder.add_plugin(PLUGIN, (__name__, "decode_frame"))
    return PLUGIN


def decode_frame(stream: bytes, runner: DecodeRunner) -> bytes:
    """Decode one JPEG stream of gray values.

    Parameters
    ----------
    stream : bytes
    runner : DecodeRunner
        What pydicom knows about the frame; set to how many bits are allocated to a value.

    Returns
    -------
    bytes
        Stored values, row by row, in the machine's byte order.

    Raises
    ------
    RuntimeError
        If the stream is cut short or is no JPEG.
    ValueError
        If it holds another size than the header declares, or color.
    """
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    with TemporaryDirectory(prefix="spinexplain-") as folder:
        path = Path(folder) / "frame.dcm"
        _wrapped(stream, runner).save_as(path, enforce_file_format=True)
        reader.SetFileName(str(path))
        with _silent_libraries():
            stored = sitk.GetArrayFromImage(reader.Execute())
    if stored.shape != (1, runner.rows, runner.columns) or stored.dtype.kind not in "iu":
        raise ValueError(f"decoded {stored.dtype} of shape {stored.shape}")
    runner.set_option("bits_allocated", 8 * stored.dtype.itemsize)
    return stored.tobytes()


def _wrapped(stream: bytes, runner: DecodeRunner) -> Dataset:
    """Put a stream into the smallest data set that is read; nothing of the patient goes in."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, generate_uid

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = runner.transfer_syntax
    dataset.SOPClassUID = UID(_SECONDARY_CAPTURE)
    dataset.SOPInstanceUID = generate_uid()
    dataset.SamplesPerPixel = 1
    values = (
        runner.rows,
        runner.columns,
        runner.bits_allocated,
        runner.bits_stored,
        runner.pixel_representation,
        str(runner.photometric_interpretation),
    )
    for keyword, value in zip(_KEPT, values, strict=True):
        setattr(dataset, keyword, value)
    dataset.HighBit = runner.bits_stored - 1
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    return dataset


@contextmanager
def _silent_libraries() -> Iterator[None]:
    """Keep libjpeg from writing to the terminal that 12 bits are not 8, four times a slice."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error to write to
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
