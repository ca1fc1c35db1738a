"""The PACS room: studies come in by DICOMweb or C-STORE, results go back as DICOM.

In: an address with study and series, or what a C-STORE peer sends. Out: SEG, Comprehensive 3D SR and a picture, by STOW-RS, C-STORE
or into a folder. Refused (exit 3): half a study, files that are no DICOM, NIfTI as a source of results. A peer that hangs, refuses
or takes only part of what is sent is a `PacsFailed` (exit 1). Sources are never changed.
"""

from __future__ import annotations

from resorb._on_demand import on_demand

_PLACES = {
    "PacsFailed": "failed",
    "borrowed": "fetching",
    "is_address": "address",
    "Measured": "derived",
    "results": "derived",
    "deliver": "delivering",
    "listen": "listening",
}

__all__ = list(_PLACES)

__getattr__ = on_demand(__name__, _PLACES)
