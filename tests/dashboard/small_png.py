"""Reduce a PNG to a palette of 256 colours, with the standard library only."""

from __future__ import annotations

import struct
import zlib
from collections import Counter

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Colour = tuple[int, int, int]


def small_png(picture: bytes) -> bytes:
    """Convert an 8-bit RGB or RGBA PNG (Chromium's screenshots) to one with a palette."""
    width, height, depth, kind = struct.unpack(">IIBB", picture[16:26])
    channels = {2: 3, 6: 4}[kind]
    assert depth == 8
    packed = b"".join(body for name, body in _chunks(picture) if name == b"IDAT")
    rows = _rows(zlib.decompress(packed), width * channels, height, channels)
    pixels = [
        [
            (row[at] & 0xFC, row[at + 1] & 0xFC, row[at + 2] & 0xFC)
            for at in range(0, len(row), channels)
        ]
        for row in rows
    ]
    seen = Counter(colour for row in pixels for colour in row)
    palette = [colour for colour, _ in seen.most_common(256)]
    number = {colour: index for index, colour in enumerate(palette)}
    for colour in seen:
        if colour not in number:
            number[colour] = _nearest(colour, palette)
    body = b"".join(b"\0" + bytes(number[colour] for colour in row) for row in pixels)
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(bytes(colour) for colour in palette)),
            _chunk(b"IDAT", zlib.compress(body, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunks(picture: bytes) -> list[tuple[bytes, bytes]]:
    at, found = len(SIGNATURE), []
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        found.append((picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _rows(raw: bytes, stride: int, height: int, step: int) -> list[bytearray]:
    """Undo the filter of each row (PNG specification, 9.2)."""
    rows, above = [], bytearray(stride)
    for number in range(height):
        begin = number * (stride + 1)
        kind, row = raw[begin], bytearray(raw[begin + 1 : begin + 1 + stride])
        if kind:
            for at in range(stride):
                left = row[at - step] if at >= step else 0
                corner = above[at - step] if at >= step else 0
                row[at] = (row[at] + _predicted(kind, left, above[at], corner)) & 0xFF
        rows.append(row)
        above = row
    return rows


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda each: abs(guess - each))
    return {1: left, 2: up, 3: (left + up) // 2}[kind]


def _nearest(colour: Colour, palette: list[Colour]) -> int:
    red, green, blue = colour
    return min(
        range(len(palette)),
        key=lambda at: (
            (palette[at][0] - red) ** 2
            + (palette[at][1] - green) ** 2
            + (palette[at][2] - blue) ** 2
        ),
    )
