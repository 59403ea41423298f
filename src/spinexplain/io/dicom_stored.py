"""Stored values of the slices of a series, one by one, without bits that are not theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

import numpy as np

from spinexplain.errors import FileFormatError, SpinexplainError
from spinexplain.io.archive import Member
from spinexplain.io.dicom_bits import aligned, bits_of, use_of_bits
from spinexplain.io.dicom_header import FileHeader
from spinexplain.io.dicom_slices import SliceHeader
from spinexplain.io.jpeg import decoding_plugin

_RLE = "1.2.840.10008.1.2.5"


def stored_values(
    slices: Sequence[SliceHeader], files: Sequence[Member], headers: Mapping[int, FileHeader]
) -> Iterator[tuple[SliceHeader, np.ndarray]]:
    """Yield each slice with its stored values, opening every file once.

    Parameters
    ----------
    slices : sequence of SliceHeader
    files : sequence of Member
        Indexed by ``SliceHeader.source``.
    headers : mapping of int to FileHeader
        By source.

    Yields
    ------
    SliceHeader
    ndarray, shape (rows, columns)
        Whole numbers; where values do not begin at the lowest bit, already shifted down.

    Raises
    ------
    FileFormatError
        If pixels are missing, truncated or cannot be decoded.
    """
    for item, stored in _decoded(slices, files, headers):
        yield item, aligned(stored, item.lowest_bit, bits_of(item.stored_range))


def as_pixels_show(
    slices: Sequence[SliceHeader], files: Sequence[Member], headers: Mapping[int, FileHeader]
) -> list[SliceHeader]:
    """Take values to begin at the lowest bit where the pixels contradict their header.

    Arguments and errors are those of :func:`stored_values`.

    Notes
    -----
    A High Bit above Bits Stored - 1 says that values lie further up. Some writers state it of
    values that do not: these use the lowest bits, and none above those that are stored. Read as
    stated, they would hold nothing but air.
    """
    if not any(item.lowest_bit for item in slices):
        return list(slices)
    below = above = False
    for item, stored in _decoded(slices, files, headers):
        uses = use_of_bits(stored, item.lowest_bit, bits_of(item.stored_range))
        below, above = below or uses.below, above or uses.above
    if below and not above:
        return [replace(item, lowest_bit=0) for item in slices]
    return list(slices)


def _decoded(
    slices: Sequence[SliceHeader], files: Sequence[Member], headers: Mapping[int, FileHeader]
) -> Iterator[tuple[SliceHeader, np.ndarray]]:
    """Yield each slice with all its bits where values do not begin at the lowest."""
    by_source = defaultdict(list)
    for item in slices:
        by_source[item.source].append(item)
    for source, items in by_source.items():
        items.sort(key=lambda item: item.frame)
        with files[source].open() as stream:
            yield from _decoded_file(stream, items, headers[source])


def _decoded_file(
    stream: BinaryIO, items: list[SliceHeader], header: FileHeader
) -> Iterator[tuple[SliceHeader, np.ndarray]]:
    expected = (items[0].rows, items[0].columns)
    _check_decoder(header, items[0])
    try:
        for item, stored in zip(items, _frames(stream, items, header), strict=True):
            if stored.shape != expected or stored.dtype.kind not in "iu":
                raise ValueError(stored.shape)
            yield item, stored
    except SpinexplainError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # decoders raise anything on broken bytes; Rust's even panic
        raise _undecodable(header, error) from None


def _frames(stream: BinaryIO, items: list[SliceHeader], header: FileHeader) -> Iterator[np.ndarray]:
    from pydicom import dcmread
    from pydicom.pixels import iter_pixels

    indices = [item.frame for item in items]
    if items[0].lowest_bit:
        dataset = dcmread(stream)
        dataset.BitsStored = dataset.BitsAllocated  # all of them: decoders only know the lowest
        return iter_pixels(dataset, indices=indices)
    if header.deflated:
        return iter_pixels(dcmread(stream), indices=indices)
    return iter_pixels(
        stream,
        indices=indices,
        transfer_syntax_uid=header.transfer_syntax,
        decoding_plugin=decoding_plugin(header.transfer_syntax),
    )


def _check_decoder(header: FileHeader, item: SliceHeader) -> None:
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    syntax = UID(header.transfer_syntax)
    if item.lowest_bit and syntax.is_encapsulated and syntax != _RLE:
        raise FileFormatError(
            f"{header.name}: High Bit {item.lowest_bit + bits_of(item.stored_range) - 1} with "
            f"{bits_of(item.stored_range)} Bits Stored and {syntax.name} does not say which bits "
            "hold the values; expected High Bit one less than Bits Stored. Export the series "
            "uncompressed."
        )
    try:
        available = bool(decoding_plugin(syntax)) or get_decoder(syntax).is_available
    except NotImplementedError:
        raise FileFormatError(
            f"{header.name}: transfer syntax {syntax.name} cannot be decoded; expected an "
            "uncompressed one, JPEG, JPEG-LS, JPEG 2000 or RLE. Export the series uncompressed."
        ) from None
    if not available:
        raise FileFormatError(
            f"{header.name}: decoding {syntax.name} needs decoders that are not installed. "
            "Run: pip install 'spinexplain[dicom]'."
        )


def _undecodable(header: FileHeader, error: BaseException) -> FileFormatError:
    from pydicom.uid import UID

    return FileFormatError(
        f"{header.name}: its pixels cannot be decoded ({type(error).__name__}, "
        f"{UID(header.transfer_syntax).name}); expected a complete gray-value image. "
        "The file is damaged or cut short: export the series again."
    )
