# ruff: noqa: N813  (table rows stay in one line)
"""Speed of reading, counting and measuring, beside what people use instead; ratios within one run.

Ratios are of processor time, which other work on the machine disturbs least; where a call uses several cores, the clock's time stands too.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb import ct
from resorb.ct.agatston import deposit_table
from resorb.ct.phantom import Ellipsoid, Scanner, make, random_deposit

REPEATS = 5
SPACING = (3.0, 0.488, 0.488)


def took(call: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Median times of a call, by the processor and by the clock, after one that is not counted. [s]"""
    call()
    times = []
    for _ in range(repeats):
        clock, busy = time.perf_counter(), time.process_time()
        call()
        times.append((time.process_time() - busy, time.perf_counter() - clock))
    return statistics.median(busy for busy, _ in times), statistics.median(clock for _, clock in times)


def tables(quick: bool = False) -> list[str]:
    """All speed tables."""
    slices, body = (20, 60) if quick else (56, 300)
    return [*counting(slices), "", *reading(40 if quick else 300), "", *whole_body(body)]


def body_tissue(shape: tuple[int, int, int], random: np.random.Generator) -> NDArray[np.float32]:
    """A trunk of fat, muscle, lung, spine and ribs. [HU]"""
    z, y, x = (a.astype(np.float32) for a in np.ogrid[: shape[0], : shape[1], : shape[2]])
    middle, scale = shape[1] / 2, shape[1] / 512
    tissue = np.full(shape, -1000, np.float32)

    def fill(where: NDArray[np.bool_], hu: float) -> None:
        tissue[np.broadcast_to(where, shape)] = hu

    def ring(a: float, b: float, cx: float = 0, cy: float = 0) -> NDArray[np.float32]:
        return ((x - middle - cx * scale) / (a * scale)) ** 2 + ((y - middle - cy * scale) / (b * scale)) ** 2

    fill(ring(215, 150) < 1, -90)
    fill(ring(195, 130) < 1, 45)
    fill((ring(70, 90, -96, -16) < 1) & (z > shape[0] // 2), -850)
    fill(ring(27, 27, 0, 84) < 1, 500)
    fill(ring(24, 24, 0, 84) < 1, 180)
    for k in range(0, shape[0], 22):
        for side in (-1, 1):
            rib = ring(30, 60, 150 * side) + ((z - k - 6) / 6) ** 2
            fill(rib < 1, 400)
            fill(rib < 0.5, 150)
    return tissue


def body_scan(slices: int, spacing: tuple[float, float, float], deposits: int, seed: int = 1) -> ct.Scan:
    """A 512 x 512 trunk with deposits in its soft tissue."""
    random = np.random.default_rng(seed)
    scanner = Scanner((slices, 512, 512), spacing, 0.9, 20.0, 0.0)
    half = slices * spacing[0] / 2 - 8
    placed: list[Ellipsoid] = []
    while len(placed) < deposits:
        x, y, z = random.uniform([-0.2, -0.2, -half], [0.2, 0.05, half]) * [512 * spacing[2], 512 * spacing[1], 1]
        placed.append(random_deposit(random, np.array([x, y, z]), (1.0, 4.0)))
    return make(scanner, placed, seed, body_tissue(scanner.shape, random))


def counting(slices: int) -> list[str]:
    """Array and mask to the per-deposit table, in passes of `hu >= 130` over the same array."""
    scan = body_scan(slices, SPACING, 30)
    hu, mask = np.asarray(scan.hu), np.zeros(scan.hu.shape, bool)
    mask[:, 130:300, 120:400] = True
    into = np.empty(hu.shape, bool)
    unit, _ = took(lambda: np.greater_equal(hu, np.int16(130), out=into))
    rows: list[tuple[str, Callable[[], object]]] = [
        ("resorb, per-deposit table in the mask", lambda: deposit_table(hu, mask, scan.pixel_mm2, 3.0))
    ]
    rows += _peers(hu, mask)
    lines = [
        f"512 x 512 x {slices}, 30 deposits; one `hu >= 130` pass takes {1e3 * unit:.1f} ms.",
        "",
        "| from array and mask | ms | passes |",
        "|---|---|---|",
    ]
    for name, call in rows:
        busy, _ = took(call, 3)
        lines.append(f"| {name} | {1e3 * busy:.1f} | {busy / unit:.1f} |")
    return lines


def _peers(hu: NDArray[Any], mask: NDArray[np.bool_]) -> list[tuple[str, Callable[[], object]]]:
    """The same numbers by other means, where their libraries are installed."""
    from scipy.ndimage import label

    cube = np.ones((3, 3, 3))
    rows: list[tuple[str, Callable[[], object]]] = []
    try:
        from skimage.measure import regionprops_table

        wanted = ("label", "area", "centroid", "intensity_max", "intensity_mean")
        rows.append(
            ("scikit-image regionprops_table", lambda: regionprops_table(label((hu >= 130) & mask, cube)[0], hu, properties=wanted))
        )
    except ImportError:
        pass
    try:
        import SimpleITK as sitk

        rows.append(("SimpleITK label intensity statistics", lambda: _simpleitk(sitk, hu, mask)))
    except ImportError:
        pass
    return [*rows, ("one mask for each deposit (naive loop)", lambda: _naive(hu, mask))]


def _simpleitk(sitk: Any, hu: NDArray[Any], mask: NDArray[np.bool_]) -> list[float]:
    pieces = sitk.ConnectedComponent(sitk.GetImageFromArray(((hu >= 130) & mask).astype(np.uint8)), True)
    found = sitk.LabelIntensityStatisticsImageFilter()
    found.Execute(pieces, sitk.GetImageFromArray(hu))
    return [found.GetMaximum(i) for i in found.GetLabels()]


def _naive(hu: NDArray[Any], mask: NDArray[np.bool_]) -> list[tuple[int, float, float]]:
    from scipy.ndimage import label

    pieces, count = label((hu >= 130) & mask, np.ones((3, 3, 3)))
    out = []
    for i in range(1, count + 1):
        here = pieces == i
        out.append((int(here.sum()), float(hu[here].max()), float(hu[here].mean())))
    return out


def reading(slices: int) -> list[str]:
    """DICOM folders to a HU volume, against a plain pydicom loop over the same files."""
    hu = np.clip(np.random.default_rng(0).normal(40, 20, (slices, 512, 512)), -1000, 3000).astype(np.int16)
    lines = [
        f"{slices} slices of 512 x 512, warm cache.",
        "",
        "| transfer syntax | resorb s | pydicom loop s | ratio | by the clock |",
        "|---|---|---|---|---|",
    ]
    for name in ("uncompressed", "deflated", "RLE", "JPEG-LS", "JPEG 2000"):
        count = slices if name in ("uncompressed", "deflated", "RLE") else max(10, slices // 10)
        with tempfile.TemporaryDirectory() as folder:
            write_series(Path(folder), hu[:count], name)
            (ours, waited), (loop, loop_waited) = took(lambda: ct.read(folder), 3), took(lambda: _loop(Path(folder)), 3)
        lines.append(f"| {name} ({count} slices) | {ours:.3f} | {loop:.3f} | {ours / loop:.2f} | {waited / loop_waited:.2f} |")
    return lines


SYNTAX = {
    "uncompressed": "1.2.840.10008.1.2.1",
    "deflated": "1.2.840.10008.1.2.1.99",
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
}


def write_series(
    folder: Path,
    hu: NDArray[np.int16],
    name: str = "uncompressed",
    spacing: tuple[float, float, float] = (1.0, 0.8, 0.8),
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> None:
    """A CT series of plain slices in a transfer syntax; origin : of its first voxel, LPS [mm]."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    compressed = name in ("RLE", "JPEG-LS", "JPEG 2000")
    for k, one in enumerate(hu):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID("1.2.840.10008.5.1.4.1.1.2"), UID(f"1.2.3.{k + 1}")
        meta.TransferSyntaxUID = UID(SYNTAX["uncompressed"] if compressed else SYNTAX[name])
        data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID, data.SeriesInstanceUID = (
            meta.MediaStorageSOPClassUID,
            meta.MediaStorageSOPInstanceUID,
            "1.2.3",
        )
        data.Modality, data.KVP, data.SliceThickness, data.ConvolutionKernel = "CT", "120", str(spacing[0]), "B35f"
        data.ImageType, data.SeriesDescription = ["ORIGINAL", "PRIMARY", "AXIAL"], "made on the spot"
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = *one.shape, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.PixelSpacing, data.ImageOrientationPatient = list(spacing[1:]), [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [f"{at:.10g}" for at in (*origin[:2], origin[2] + spacing[0] * k)]
        data.RescaleSlope, data.RescaleIntercept = 1, -1024
        data.PixelData = np.clip(one + 1024, 0, 4095).astype("<u2").tobytes()
        if compressed:
            data.compress(UID(SYNTAX[name]))
        data.save_as(folder / f"{k:04d}.dcm", enforce_file_format=True)


def _loop(folder: Path) -> NDArray[np.int16]:
    """What a script does: read all, sort by position, stack, rescale."""
    import pydicom

    files = sorted(
        (pydicom.dcmread(io.BytesIO(path.read_bytes())) for path in folder.iterdir()), key=lambda d: float(d.ImagePositionPatient[2])
    )
    return np.stack([d.pixel_array.astype(np.int16) * int(d.RescaleSlope) + int(d.RescaleIntercept) for d in files])


def whole_body(slices: int) -> list[str]:
    """A whole scan without labels: find and measure, and how it grows."""
    lines = [
        "| whole 512 x 512 scan, no labels, once read | deposits | find s | find and measure s | by the clock s | passes of `hu >= 130` |",
        "|---|---|---|---|---|---|",
    ]
    for count, deposits in ((slices // 2, 20), (slices, 20), (slices, 40)):
        scan = body_scan(count, (1.0, 0.8, 0.8), deposits)
        into = np.empty(scan.hu.shape, bool)
        unit, _ = took(lambda hu=scan.hu, into=into: np.greater_equal(hu, np.int16(130), out=into))
        find, _ = took(lambda scan=scan: ct.find(scan))
        both, waited = took(lambda scan=scan: ct.measure(replace(scan)))  # nothing that a scan remembers of the time before is used
        lines.append(f"| {count} slices | {len(ct.find(scan).candidates)} | {find:.2f} | {both:.2f} | {waited:.2f} | {both / unit:.0f} |")
    return lines
