"""The scanner room: files of a CT in, a `Measurement` out; the only room with pixels.

In: a folder, zip or file of DICOM, or NIfTI; labels as NIfTI or DICOM SEG. Out: `Scan`, `Findings`, `Measurement`.
Refused (`ScanRefused`): what is not one regular volume in HU. Nothing here knows of diseases.
"""

from __future__ import annotations

from typing import Any

_PLACES = {
    "Scan": "resorb.ct.scan",
    "ScanRefused": "resorb.ct.refused",
    "Settings": "resorb.ct.measuring",
    "read": "resorb.ct.reading",
    "find": "resorb.ct.finding",
    "measure": "resorb.ct.measuring",
}

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for, so that importing the room costs nothing."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
