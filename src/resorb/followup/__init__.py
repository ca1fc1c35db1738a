"""The light box: two scans of one person -> a `Change`, judged against what this pair can show.

In: two scans (or their paths), labels for each. Out: `Change`, every deposit with its verdict; `Compared` with what it was made of.
Refused: two people, a follow-up before its baseline, and what `resorb.ct` refuses. What cannot be told is a verdict, with its reason.
"""

from __future__ import annotations

from typing import Any

_PLACES = {
    "Compared": "resorb.followup.comparison",
    "Stated": "resorb.followup.comparison",
    "align": "resorb.followup.aligning",
    "compare": "resorb.followup.comparison",
    "compared": "resorb.followup.comparison",
}

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for, so that importing the room costs nothing."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
