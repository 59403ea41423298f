"""JPEG streams written bit by bit from the standard (ITU T.81): what a decoder is held against."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

ALL_CODES = 17  # categories 0 to 16, each with a Huffman code of five bits


def segment(marker: int, *content: int) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + bytes(content)


def frame_header(marker: int, bits: int, shape: tuple[int, int]) -> bytes:
    rows, columns = (side.to_bytes(2) for side in shape)
    return segment(marker, bits, *rows, *columns, 1, 1, 0x11, 0)


def huffman_table(table: int, count: int) -> bytes:
    """Declare the categories 0 to count - 1, all with codes of five bits: the category itself."""
    lengths = [0] * 16
    lengths[4] = count
    return segment(0xC4, table, *lengths, *range(count))


def coded(difference: int) -> str:
    """Return the five bits of the category, then its extra bits (T.81, F.1.2.1 and H.1.2.2)."""
    category = abs(difference).bit_length()
    if category in (0, 16):
        return f"{category:05b}"
    low = difference if difference > 0 else difference + (1 << category) - 1
    return f"{category:05b}{low:0{category}b}"


def packed(bits: str) -> bytes:
    """Fill the last byte with ones and stuff a zero after every 0xFF."""
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    return data.replace(b"\xff", b"\xff\x00")


def stream(*parts: bytes) -> bytes:
    content = b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"
    return content + b"\0" * (len(content) % 2)


def predicted(values: np.ndarray, y: int, x: int, predictor: int, bits: int) -> int:
    if y == 0:
        return int(values[0, x - 1]) if x else 1 << (bits - 1)
    if x == 0:
        return int(values[y - 1, 0])
    a, b, c = int(values[y, x - 1]), int(values[y - 1, x]), int(values[y - 1, x - 1])
    rules = (0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1)
    return rules[predictor]


def lossless(values: np.ndarray, predictor: int = 1, bits: int = 16) -> bytes:
    """Encode unsigned values without loss (process 14), with one of seven predictors."""
    said = []
    for y, x in np.ndindex(values.shape):
        difference = (int(values[y, x]) - predicted(values, y, x, predictor, bits)) % 65536
        said.append(coded(difference if difference <= 32768 else difference - 65536))
    return stream(
        frame_header(0xC3, bits, values.shape),
        huffman_table(0x00, ALL_CODES),
        segment(0xDA, 1, 1, 0x00, predictor, 0, 0),
        packed("".join(said)),
    )


def flat_blocks(levels: np.ndarray, bits: int = 12) -> bytes:
    """Encode 8 x 8 blocks of one value each by the cosine transform: exact, as DC is all."""
    middle = 1 << (bits - 1)
    constants = [8 * (int(level) - middle) for level in levels.ravel()]
    end_of_block = "00000"
    said = [coded(after - before) + end_of_block for before, after in pairwise([0, *constants])]
    shape = (8 * levels.shape[0], 8 * levels.shape[1])
    return stream(
        segment(0xDB, 0, *[1] * 64),
        frame_header(0xC0 if bits == 8 else 0xC1, bits, shape),
        huffman_table(0x00, 16 if bits == 12 else 12),
        huffman_table(0x10, 1),
        segment(0xDA, 1, 1, 0x00, 0, 63, 0),
        packed("".join(said)),
    )
