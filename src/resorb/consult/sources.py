"""Sources as they are shown: what was read, by whom, when, and where to open it."""

from __future__ import annotations

from ..evidence.showing import shown

__all__ = ["shown"]
