"""Pictures of a measured scan, as PNG bytes and outlines: each deposit, and a projection with all of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.findings import Candidate, Findings
from resorb.ct.scan import Scan
from resorb.terms.measurement import Measurement, Picture, Point

WINDOW = (-150.0, 650.0)
MIP_WINDOW = (-50.0, 900.0)
HALF_FIELD_MM = 15.0
TILE = 168
MIP_LONGEST = 560
MOST_TILES = 48

Outline = tuple[str, tuple[tuple[float, float], ...]]


def pictures(scan: Scan, findings: Findings, measurement: Measurement) -> tuple[Picture, ...]:
    """A coronal and an axial maximum-intensity projection with every deposit marked, then one picture for each of the first 48."""
    tiles = [_tile(scan, c, d.id) for c, d in zip(findings.candidates[:MOST_TILES], measurement.deposits, strict=False)]
    places = [(str(d.id), d.centroid_mm) for d in measurement.deposits]
    views = [] if scan.single_slice else [projection(scan, places, 1)]
    return (*views, projection(scan, places, 0), *tiles)


def _tile(scan: Scan, candidate: Candidate, number: int) -> Picture:
    """The slice with most of one deposit, 30 mm across, with its outline."""
    at = np.stack(np.unravel_index(candidate.flat, scan.hu.shape), 1)
    k = int(np.bincount(at[:, 0]).argmax())
    here = at[at[:, 0] == k]
    centre = (here.min(0) + here.max(0)) / 2
    half = np.maximum(np.ceil(HALF_FIELD_MM / scan.spacing[1:]), np.ptp(here[:, 1:], axis=0) / 2 + 4).astype(int)
    low = np.maximum(np.floor(centre[1:] - half), 0).astype(int)
    high = np.minimum(np.ceil(centre[1:] + half) + 1, scan.hu.shape[1:]).astype(int)
    crop = scan.hu[k, low[0] : high[0], low[1] : high[1]]
    zoom = max(1, TILE // max(crop.shape))
    mask = np.zeros(crop.shape, bool)
    mask[here[:, 1] - low[0], here[:, 2] - low[1]] = True
    grey = grey_of(crop, WINDOW).repeat(zoom, 0).repeat(zoom, 1)
    lines = tuple((str(number), tuple((x * zoom, y * zoom) for x, y in line)) for line in outline(mask))
    return Picture(f"deposit-{number}", f"{number}: slice {k + 1} of {scan.hu.shape[0]}", png(grey), grey.shape[1], grey.shape[0], lines)


def projection(scan: Scan, places: Iterable[tuple[str, Point]], axis: int) -> Picture:
    """Maximum intensity along rows (axis 1, seen from the front) or slices (0, from the feet), pixels square; places [LPS mm] marked."""
    flat = scan.hu.max(axis)
    spacing = np.nan_to_num(scan.spacing, nan=1.0)[[a for a in range(3) if a != axis]]
    size = np.array(flat.shape) * spacing
    scale = MIP_LONGEST / size.max()
    rows, columns = (np.maximum(np.rint(size * scale), 1)).astype(int)
    at_rows = np.minimum((np.arange(rows) + 0.5) / scale / spacing[0], flat.shape[0] - 1).astype(int)
    at_columns = np.minimum((np.arange(columns) + 0.5) / scale / spacing[1], flat.shape[1] - 1).astype(int)
    grey = grey_of(flat[np.ix_(at_rows, at_columns)], MIP_WINDOW)
    upward = axis == 1 and scan.affine[2, 0] > 0
    marks = []
    for name, centre in places:
        index = scan.to_index(np.array([centre]))[0]
        y, x = ((index[a] + 0.5) * s * scale for a, s in zip([a for a in range(3) if a != axis], spacing, strict=True))
        marks.append((name, float(x), float(rows - y if upward else y)))
    grey = grey[::-1] if upward else grey
    view, words = ("coronal", "from the front") if axis == 1 else ("axial", "from the feet")
    return Picture(f"mip-{view}", f"maximum intensity, seen {words}", png(grey), int(columns), int(rows), (), tuple(marks))


def grey_of(hu: NDArray[Any], window: tuple[float, float]) -> NDArray[Any]:
    """HU as 8-bit grey between the ends of a window. [HU]"""
    low, high = window
    return np.asarray(np.clip((hu.astype(np.float32) - low) / (high - low), 0, 1) * 255, np.uint8)


def outline(mask: NDArray[np.bool_]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The border of a mask as straight lines between (x, y) corners of its pixels."""
    padded = np.pad(mask, 1)
    for y, x in np.argwhere(padded[1:, 1:] != padded[:-1, 1:]):
        yield (float(x), float(y)), (float(x + 1), float(y))
    for y, x in np.argwhere(padded[1:, 1:] != padded[1:, :-1]):
        yield (float(x), float(y)), (float(x), float(y + 1))


def png(grey: NDArray[Any]) -> bytes:
    """8-bit grey PNG (ISO 15948) of a [row, column] picture."""
    rows = np.concatenate([np.zeros((len(grey), 1), np.uint8), grey], 1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
