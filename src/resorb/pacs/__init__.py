"""The PACS room: studies come in by DICOMweb or C-STORE, results go back as DICOM.

In: an address with study and series, or what a C-STORE peer sends. Out: SEG, Comprehensive 3D SR and a picture, by STOW-RS, C-STORE
or into a folder. Refused (exit 3): half a study, files that are no DICOM, NIfTI as a source of results. A peer that hangs, refuses
or takes only part of what is sent is a `PacsFailed` (exit 1). Sources are never changed.
"""

from __future__ import annotations

from typing import Any

_PLACES = {
    "PacsFailed": "resorb.pacs.failed",
    "borrowed": "resorb.pacs.fetching",
    "is_address": "resorb.pacs.address",
    "Measured": "resorb.pacs.derived",
    "results": "resorb.pacs.derived",
    "deliver": "resorb.pacs.delivering",
    "listen": "resorb.pacs.listening",
}

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for, so that importing the room costs nothing."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
