"""A small DICOM header walk: the elements a CT series needs, without building a data set.

Reads explicit and implicit little endian up to the pixel data (PS3.5, sections 7.1 to 7.5). Whatever it does not
understand it leaves to pydicom by returning none: fast where files are plain, never the last word.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

IMPLICIT, EXPLICIT, DEFLATED, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010
DEEPEST = 8
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"))
_SHORT = struct.Struct("<HH2sH")
_PLAIN = struct.Struct("<HHI")
_U32 = struct.Struct("<I")

WANTED = {
    0x00080008: "ImageType", 0x00080016: "SOPClassUID", 0x00080018: "SOPInstanceUID", 0x00080022: "AcquisitionDate",
    0x00080023: "ContentDate", 0x00080020: "StudyDate", 0x00080060: "Modality", 0x00080070: "Manufacturer",
    0x0008103E: "SeriesDescription", 0x00100020: "PatientID", 0x00100030: "PatientBirthDate",
    0x00180010: "ContrastBolusAgent", 0x00180050: "SliceThickness", 0x00180060: "KVP", 0x00181060: "TriggerTime",
    0x00181120: "GantryDetectorTilt", 0x00181210: "ConvolutionKernel", 0x0020000E: "SeriesInstanceUID",
    0x00200012: "AcquisitionNumber", 0x00200013: "InstanceNumber", 0x00200032: "ImagePositionPatient",
    0x00200037: "ImageOrientationPatient", 0x00200100: "TemporalPositionIdentifier", 0x00280002: "SamplesPerPixel",
    0x00280004: "PhotometricInterpretation", 0x00280008: "NumberOfFrames", 0x00280010: "Rows", 0x00280011: "Columns",
    0x00280030: "PixelSpacing", 0x00280100: "BitsAllocated", 0x00280101: "BitsStored", 0x00280102: "HighBit",
    0x00280103: "PixelRepresentation", 0x00281052: "RescaleIntercept", 0x00281053: "RescaleSlope", 0x00281054: "RescaleType",
    0x00181000: "DeviceSerialNumber", 0x00189351: "CalciumScoringMassFactorPatient",
}  # fmt: skip
BINARY = frozenset(("SamplesPerPixel", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"))
CODED_CONTRAST = (0x00180012, 0x00180014)


@dataclass(frozen=True)
class Walked:
    """What the walk found: text of the wanted elements, the transfer syntax, and where the pixel data lies.

    `pixels_at` is none when no pixel data was met; `length` is UNDEFINED for encapsulated pixel data.
    `deflated_at` is where a deflated data set starts in the file; `pixels_at` then counts in the inflated bytes.
    """

    text: dict[str, str]
    syntax: str
    pixels_at: int | None
    length: int
    deflated_at: int | None = None
    coded_contrast: bool = False


class _NotPlain(Exception):
    """Something this walk leaves to pydicom."""


def walk(data: bytes) -> Walked | None:
    """Walk the header at the start of `data`; none when pydicom should have a look instead."""
    try:
        syntax, at = _file_meta(data)
        if syntax == BIG:
            return None
        if syntax == DEFLATED:
            return _elements(zlib.decompressobj(-15).decompress(data[at:], len(data)), 0, syntax, at)
        return _elements(data, at, syntax, None)
    except (_NotPlain, struct.error, IndexError, zlib.error, ValueError, MemoryError):
        return None


def _file_meta(data: bytes) -> tuple[str, int]:
    """Transfer syntax and the offset behind the file meta group (always explicit little endian)."""
    if data[128:132] != b"DICM":
        raise _NotPlain
    at, syntax = 132, ""
    while data[at : at + 2] == b"\x02\x00":
        _, element, kind, length = _SHORT.unpack_from(data, at)
        at += 8
        if kind in _LONG:
            (length,) = _U32.unpack_from(data, at)
            at += 4
        if length == UNDEFINED:
            raise _NotPlain
        if element == 0x0010:
            syntax = data[at : at + length].decode("ascii", "replace").strip("\x00 ")
        at += length
    if not syntax:
        raise _NotPlain
    return syntax, at


def _elements(data: bytes, at: int, syntax: str, deflated_at: int | None) -> Walked:
    explicit, coded = syntax != IMPLICIT, False
    text: dict[str, str] = {}
    end, wanted = len(data), WANTED
    while at < end:
        tag, length, at = _element(data, at, explicit)
        if tag == PIXELS:
            return Walked(text, syntax, at, length, deflated_at, coded)
        if tag in CODED_CONTRAST:
            coded = coded or length > 0
        if length == UNDEFINED:
            at = _skip_items(data, at, explicit, 0)
            continue
        if at + length > end:
            raise _NotPlain
        name = wanted.get(tag)
        if name is not None:
            raw = data[at : at + length]
            if name in BINARY:
                if length != 2:
                    raise _NotPlain
                text[name] = str(raw[0] | raw[1] << 8)
            elif name == "CalciumScoringMassFactorPatient":
                text[name] = str(struct.unpack("<f", raw)[0])
            else:
                text[name] = raw.decode("latin-1").strip("\x00 ")
        at += length
    return Walked(text, syntax, None, 0, deflated_at, coded)


def _element(data: bytes, at: int, explicit: bool) -> tuple[int, int, int]:
    """Tag, length and the offset of the value."""
    if not explicit:
        group, element, length = _PLAIN.unpack_from(data, at)
        return group << 16 | element, length, at + 8
    group, element, kind, length = _SHORT.unpack_from(data, at)
    if group == 0xFFFE:
        return group << 16 | element, _U32.unpack_from(data, at + 4)[0], at + 8
    if kind in _LONG:
        return group << 16 | element, _U32.unpack_from(data, at + 8)[0], at + 12
    if not (kind.isalpha() and kind.isupper()):
        raise _NotPlain
    return group << 16 | element, length, at + 8


def _skip_items(data: bytes, at: int, explicit: bool, depth: int) -> int:
    """The offset behind a sequence of undefined length."""
    if depth > DEEPEST:
        raise _NotPlain
    while True:
        tag, length, at = _element(data, at, explicit)
        if tag == 0xFFFEE0DD:
            return at
        if tag != 0xFFFEE000:
            raise _NotPlain
        at = _skip_item(data, at, explicit, depth) if length == UNDEFINED else at + length


def _skip_item(data: bytes, at: int, explicit: bool, depth: int) -> int:
    while True:
        tag, length, at = _element(data, at, explicit)
        if tag == 0xFFFEE00D:
            return at
        at = _skip_items(data, at, explicit, depth + 1) if length == UNDEFINED else at + length
