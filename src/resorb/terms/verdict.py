"""The words for what became of a deposit between two scans."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["resolved", "shrank", "unchanged", "grew", "new", "merged", "split", "not covered", "cannot tell"]
