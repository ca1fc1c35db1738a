"""One result, three forms: whatever a verb answered, as a page, as JSON or as text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..terms.measurement import Picture

_DESKS = {"Measurement": "measurement", "Change": "change", "Trend": "trend"}  # the desk that writes it; an assessment where none is named


def to_html(result: Any, pictures: tuple[Picture, ...] = ()) -> str:
    """The page of a result: self-contained, no script. `pictures` are those of its scans, where it has any."""
    desk = _DESKS.get(type(result).__name__)
    if desk is None:
        from .as_html import assessment_html

        return assessment_html(result, pictures)
    return str(getattr(import_module(f".{desk}", __package__), f"{desk}_html")(result, pictures))


def to_text(result: Any, *, why: bool = False) -> str:
    """A result for a terminal; with `why`, every reason, study and source of an assessment as well."""
    desk = _DESKS.get(type(result).__name__)
    if desk is None:
        from .as_text import assessment_text

        return assessment_text(result, why=why)
    return str(getattr(import_module(f".{desk}_text", __package__), f"{desk}_text")(result))
