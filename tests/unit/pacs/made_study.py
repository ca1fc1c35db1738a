"""Whole CT studies made on the spot: every element a PACS and a validator ask for, deposits whose place is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

from resorb.ct.phantom import Ellipsoid, Scanner, make
from resorb.ct.phantom_pairs import Plan, random_pair
from resorb.ct.scan import Scan

PAIR = Plan(
    deposits=4, height_mm=70, pixel_mm=(0.9, 0.9), slice_mm=(2.0, 2.5), noise_hu=(8, 10), radius_mm=(2.0, 3.0), close=0,
    same_scanner=True, moved_mm=10, turned_degrees=4,
)  # fmt: skip
SCANNER = Scanner((24, 64, 64), (2.5, 0.9, 0.9), 0.9, 10.0)
FRAME = generate_uid(entropy_srcs=["made frame of reference"])
DEPOSITS = (
    Ellipsoid((12.0, -8.0, 6.0), (3.4, 3.0, 3.1), 500.0),
    Ellipsoid((-14.0, 9.0, -8.0), (2.6, 2.8, 2.6), 650.0),
)
LATER = (
    Ellipsoid((12.0, -8.0, 6.0), (2.0, 1.8, 1.9), 420.0),
    Ellipsoid((-14.0, 9.0, -8.0), (2.6, 2.8, 2.6), 650.0),
    Ellipsoid((3.0, 16.0, -16.0), (2.4, 2.4, 2.4), 600.0),
)


def uid(*words: object) -> str:
    """A UID that follows from words."""
    return str(generate_uid(entropy_srcs=[str(word) for word in words]))


def made_scan(deposits: tuple[Ellipsoid, ...] = DEPOSITS, seed: int = 1) -> Scan:
    """The scan whose files `write_study` writes: a round trunk in air."""
    _, row, column = np.ogrid[: SCANNER.shape[0], : SCANNER.shape[1], : SCANNER.shape[2]]
    inside = np.broadcast_to((row - 31.5) ** 2 + (column - 31.5) ** 2 < 30**2, SCANNER.shape)
    return make(SCANNER, list(deposits), seed, np.where(inside, 40.0, -1000.0))


def write_study(folder: Path, deposits: tuple[Ellipsoid, ...] = DEPOSITS, *, name: str = "one", **changes: Any) -> Path:
    """A CT series as files, in names that do not follow their order; `changes` set elements, none deletes them."""
    folder.mkdir(parents=True, exist_ok=True)
    scan = made_scan(deposits, sum(map(ord, name)))
    for k in range(len(scan.hu)):
        data = _slice(np.asarray(scan.hu[k]), k, np.asarray(scan.to_lps([[k, 0, 0]])[0]), name)
        for element, value in changes.items():
            if value is None:
                delattr(data, element)
            else:
                setattr(data, element, value)
        data.save_as(folder / f"{(k * 7) % 24:02d}.dcm", enforce_file_format=True)
    return folder


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Two studies of one person who moved: a deposit unchanged, one grown, one gone, one new."""
    pair = random_pair(np.random.default_rng(1), PAIR)
    return _write(folder / "one", pair.baseline, "one"), _write(folder / "two", pair.followup, "two")


def _write(folder: Path, scan: Scan, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(len(scan.hu)):
        data = _slice(np.asarray(scan.hu[k]), k, np.asarray(scan.to_lps([[k, 0, 0]])[0]), name)
        data.PixelSpacing, data.SliceThickness = [round(float(s), 6) for s in scan.spacing[1:]], f"{scan.spacing[0]:.4f}"
        data.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)
    return folder


def write_enhanced(path: Path, deposits: tuple[Ellipsoid, ...] = DEPOSITS) -> Path:
    """The same as one enhanced multi-frame file, its frames in an order of their own."""
    scan = made_scan(deposits, sum(map(ord, "one")))
    order = [(k * 7) % len(scan.hu) for k in range(len(scan.hu))]
    data = _slice(np.asarray(scan.hu[0]), 0, np.zeros(3), "enhanced")
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    data.NumberOfFrames, data.PixelData = len(order), (np.asarray(scan.hu)[order].astype(np.int32) + 1024).astype("<i2").tobytes()
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        delattr(data, name)
    shared = Dataset()
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[0.9, 0.9], SliceThickness="2.5")]
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.PixelValueTransformationSequence = [_item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")]
    data.SharedFunctionalGroupsSequence = [shared]
    corners = [[round(float(c), 4) for c in scan.to_lps([[k, 0, 0]])[0]] for k in order]
    data.PerFrameFunctionalGroupsSequence = [_item(PlanePositionSequence=[_item(ImagePositionPatient=corner)]) for corner in corners]
    data.save_as(path, enforce_file_format=True)
    return path


def _item(**elements: Any) -> Dataset:
    out = Dataset()
    for name, value in elements.items():
        setattr(out, name, value)
    return out


def _slice(hu: np.ndarray[Any, Any], k: int, corner: np.ndarray[Any, Any], name: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = uid(name, "slice", k)
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Nämlich^Frieda", "P-1", "19550505", "F"
    data.StudyInstanceUID, data.StudyID, data.AccessionNumber = uid(name, "study"), "S1", "A1"
    data.StudyDate, data.StudyTime = ("20250301" if name == "one" else "20260301"), "101500"
    data.SeriesDate, data.SeriesTime, data.AcquisitionDate, data.ContentDate = (data.StudyDate, "101700", data.StudyDate, data.StudyDate)
    data.ContentTime, data.AcquisitionTime, data.AcquisitionNumber = "101701", "101701", 1
    data.ReferringPhysicianName, data.StudyDescription = "Doctor^Who", "chest"
    data.Modality, data.SeriesInstanceUID, data.SeriesNumber, data.InstanceNumber = "CT", uid(name, "series"), 3, k + 1
    data.SeriesDescription, data.ImageType = "thorax 2.5 B35f", ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.Manufacturer, data.PatientPosition = "phantom", "HFS"
    data.FrameOfReferenceUID, data.PositionReferenceIndicator = uid(name, FRAME), ""
    data.KVP, data.SliceThickness, data.ConvolutionKernel = "120", "2.5", "B35f"
    data.Rows, data.Columns = hu.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelSpacing = [SCANNER.spacing[1], SCANNER.spacing[2]]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [round(float(c), 4) for c in corner]
    data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 1, -1024, "HU"
    data.PixelData = (hu.astype(np.int32) + 1024).astype("<i2").tobytes()
    return data
