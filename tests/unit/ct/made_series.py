"""DICOM files of a small CT, made by the tests: any transfer syntax, any fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SPACING = (2.5, 0.7, 0.7)
SERIES = generate_uid(entropy_srcs=["series"])


def volume(slices: int = 5, side: int = 24, seed: int = 3) -> np.ndarray[Any, Any]:
    """HU [slice, row, column]: tissue with noise, some air, and a dense block."""
    hu = np.random.default_rng(seed).normal(40, 15, (slices, side, side)).astype(np.int16)
    hu[:, :3] = -1000
    hu[1:3, 10:13, 10:13] = 500
    return hu


def one(hu: np.ndarray[Any, Any], k: int, **changes: Any) -> FileDataset:
    """Slice k as a data set; `changes` set elements, none deletes them."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[f"{changes.get('SeriesInstanceUID', '')}{k}"])
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.SeriesInstanceUID, data.InstanceNumber = "CT", "nobody", SERIES, k + 1
    data.ImageType, data.SeriesDescription = ["ORIGINAL", "PRIMARY", "AXIAL"], "made"
    data.KVP, data.SliceThickness, data.ConvolutionKernel = "120", "2.5", "B35f"
    data.Rows, data.Columns = hu.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelSpacing = [SPACING[1], SPACING[2]]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [-10.0, -20.0, 100.0 + SPACING[0] * k]
    data.RescaleSlope, data.RescaleIntercept = 1, -1024
    data.PixelData = (hu.astype(np.int32) + 1024).astype("<i2").tobytes()
    for name, value in changes.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    return data


def write(folder: Path, hu: np.ndarray[Any, Any], **changes: Any) -> Path:
    """All slices, in file names that do not follow their order."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(len(hu)):
        one(hu[k], k, **changes).save_as(folder / f"{(k * 7) % 11:02d}-{k}.dcm", enforce_file_format=True)
    return folder


def change(folder: Path, k: int, **changes: Any) -> Path:
    """Set elements of the file of slice k."""
    (path,) = folder.glob(f"*-{k}.dcm")
    data = pydicom.dcmread(path)
    for name, value in changes.items():
        setattr(data, name, value)
    data.save_as(path)
    return path
