"""The library: cards, their loader, their checker, and the form a case is written on.

In: YAML cards. Out: a `Library`, a checked list of problems, a `Case` read from the form.
Refused: a card that breaks a rule, with file and line; a case with words no card knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .form import read_case_mapping, read_case_text
from .library import Library, library

if TYPE_CHECKING:
    from .checking import check

__all__ = ["Library", "check", "library", "read_case_mapping", "read_case_text"]


def __getattr__(name: str) -> Any:
    """Load the checker when it is first asked for."""
    if name != "check":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module(".checking", __name__).check
