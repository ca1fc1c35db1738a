"""The light box: two scans of one person -> a `Change`, judged against what this pair can show.

In: two scans (or their paths), labels for each. Out: `Change`, every deposit with its verdict; `Compared` with what it was made of.
Refused: two people, a follow-up before its baseline, and what `resorb.ct` refuses. What cannot be told is a verdict, with its reason.
"""

from __future__ import annotations

from resorb._on_demand import on_demand

_PLACES = {
    "Compared": "comparison",
    "Stated": "comparison",
    "align": "aligning",
    "compare": "comparison",
    "compared": "comparison",
}

__all__ = list(_PLACES)

__getattr__ = on_demand(__name__, _PLACES)
