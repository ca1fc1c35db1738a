"""RLE pixel data without a data set: the fragments of one frame straight to the decoder (PS3.5, A.4 and annex G)."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.header import Header
from resorb.ct.header_walk import UNDEFINED

RLE = "1.2.840.10008.1.2.5"
_ITEM = struct.Struct("<HHI")


def decode_rle(header: Header) -> NDArray[Any] | None:
    """Stored values of one RLE frame; none when pydicom should have a look instead."""
    if header.syntax != RLE or header.pixels_at is None or header.length != UNDEFINED or header.whole("BitsAllocated") != 16:
        return None
    try:
        from rle.rle import decode_frame  # type: ignore[import-not-found, unused-ignore]

        frame = _frame(header.entry.fetch(), header.pixels_at)
        raw = decode_frame(frame, int(np.prod(header.shape)), 16, "<")
        kind = "<i2" if header.whole("PixelRepresentation") else "<u2"
        return np.frombuffer(bytearray(raw), kind).reshape(header.shape)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001  the decoder is Rust: its panics are no Exception; pydicom then says what is wrong
        return None


def _frame(data: bytes, at: int) -> bytes:
    """The fragments behind the offset table, joined."""
    parts: list[bytes] = []
    while True:
        group, element, length = _ITEM.unpack_from(data, at)
        at += 8
        if (group, element) != (0xFFFE, 0xE000):
            return b"".join(parts[1:])
        parts.append(data[at : at + length])
        at += length
