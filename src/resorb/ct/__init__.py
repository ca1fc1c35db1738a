"""The scanner room: files of a CT in, a `Measurement` out; the only room with pixels.

In: a folder, zip or file of DICOM, or NIfTI; labels as NIfTI or DICOM SEG. Out: `Scan`, `Findings`, `Measurement`.
Refused (`ScanRefused`): what is not one regular volume in HU. Nothing here knows of diseases.
"""

from __future__ import annotations

from resorb._on_demand import on_demand

_PLACES = {
    "Scan": "scan",
    "ScanRefused": "refused",
    "Settings": "measuring",
    "read": "reading",
    "find": "finding",
    "measure": "measuring",
}

__all__ = list(_PLACES)

__getattr__ = on_demand(__name__, _PLACES)
