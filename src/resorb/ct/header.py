"""One image file of a series: what its header says, in the types the room needs."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from resorb.ct.entries import Entry
from resorb.ct.header_walk import CODED_CONTRAST, UNDEFINED, WANTED, Walked, walk

HEAD = 1 << 16
CT_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT Image Storage",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT Image Storage",
}
PLAIN_SYNTAXES = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"}


@dataclass(frozen=True, kw_only=True)
class Header(Walked):
    """The header of one file, and the file it is of."""

    entry: Entry

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.entry.name

    def number(self, key: str) -> float | None:
        """The first value of a numeric element; none if absent or not a finite number."""
        values = self.numbers(key)
        return values[0] if values else None

    def numbers(self, key: str) -> tuple[float, ...]:
        """All values of a numeric element; empty if absent or any of them is no finite number."""
        said = self.text.get(key, "")
        try:
            values = tuple(float(part) for part in said.split("\\")) if said else ()
        except ValueError:
            return ()
        return values if all(map(math.isfinite, values)) else ()

    def whole(self, key: str, default: int = 0) -> int:
        """A whole number of at most 9 digits; `default` otherwise."""
        value = self.number(key)
        return default if value is None or abs(value) > 1e9 else int(value)

    @cached_property
    def position(self) -> tuple[float, ...]:
        """Centre of the first voxel, LPS. [mm] Empty if absent."""
        return self.numbers("ImagePositionPatient")

    @cached_property
    def orientation(self) -> tuple[float, ...]:
        """Direction of a row, then of a column. Empty if absent."""
        return self.numbers("ImageOrientationPatient")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.whole("Rows"), self.whole("Columns")

    @property
    def is_ct(self) -> bool:
        """By SOP class, or by modality where the class is missing."""
        said = self.text.get("SOPClassUID", "")
        return said in CT_CLASSES or (not said and self.text.get("Modality") == "CT")

    @property
    def is_multi_frame(self) -> bool:
        """Whether one file holds many slices."""
        return self.whole("NumberOfFrames", 1) > 1 or self.text.get("SOPClassUID", "").startswith("1.2.840.10008.5.1.4.1.1.2.")

    @property
    def is_localizer(self) -> bool:
        """A scout view and no slice."""
        return "LOCALIZER" in self.text.get("ImageType", "").upper()

    @property
    def is_plain(self) -> bool:
        """Whether the pixel data are uncompressed 16-bit words whose place in the file is known."""
        expected = 2 * math.prod(self.shape)
        return (
            self.syntax in PLAIN_SYNTAXES and self.pixels_at is not None and self.length >= expected > 0
            and self.whole("BitsAllocated") == 16 and self.whole("SamplesPerPixel", 1) == 1
            and (self.deflated_at is not None or self.pixels_at + expected <= self.entry.size)
        )  # fmt: skip


def read_header(entry: Entry) -> Header | None:
    """The header of one file; none if it is no DICOM image or cannot be read."""
    head = entry.head(HEAD)
    walked = walk(head) if len(head) > 132 else None
    if walked is None or (walked.pixels_at is None and len(head) < entry.size):
        if len(head) < 132 or not _looks_like_dicom(head):
            return None
        walked = walk(entry.fetch()) or _with_pydicom(entry)
    if walked is None or ("Rows" not in walked.text and "SOPClassUID" not in walked.text):
        return None
    return Header(**vars(walked), entry=entry)


def _looks_like_dicom(head: bytes) -> bool:
    """The magic word, or a file without preamble that starts with group 0008 or 0002."""
    return head[128:132] == b"DICM" or head[:2] in (b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00\x02")


def _with_pydicom(entry: Entry) -> Walked | None:
    """What pydicom makes of a file that the plain walk does not understand."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(io.BytesIO(entry.fetch()), stop_before_pixels=True, force=True)
            text = {name: said for name in WANTED.values() if (said := _said(data, name))}
            syntax = str(getattr(data.file_meta, "TransferSyntaxUID", "")) if hasattr(data, "file_meta") else ""
            coded = any(tag in data and len(data[tag].value or ()) > 0 for tag in CODED_CONTRAST)
    except Exception:  # noqa: BLE001  pydicom meets damaged files with many kinds of error; such a file is simply no image
        return None
    return Walked(text, syntax or "1.2.840.10008.1.2", None, UNDEFINED, None, coded) if text else None


def _said(data: Any, name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    return "\\".join(map(str, value)) if hasattr(value, "__iter__") and not isinstance(value, str) else str(value)
