"""FHIR's dates: parts of a date, days, and moments with a zone. No clock: only what a record says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

DAYS_PER_YEAR = 365.25
_PARTIAL = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?$")
_LONGEST = 40
_FULL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T|$)")


def moment(text: Any) -> str | None:
    """One spelling that sorts by time (a moment with a zone in UTC), or none where it is no date.

    >>> moment("2020-03-01T01:30:00+02:00"), moment("2020-03"), moment("soon")
    ('2020-02-29T23:30:00', '2020-03', None)
    """
    return _moment(text) if type(text) is str and len(text) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _moment(text: str) -> str | None:
    if len(text) < 10:
        return text if _PARTIAL.match(text) else None
    if not _FULL.match(text):
        return None
    try:
        if len(text) == 10:
            date.fromisoformat(text)
            return text
        found = datetime.fromisoformat(text)
        return (found.astimezone(UTC) if found.tzinfo else found).replace(tzinfo=None, microsecond=0).isoformat()
    except (ValueError, OverflowError):
        return None


def first_moment(*values: Any) -> str | None:
    """The first of these that is a date; of a period, its end, or its start where it has none."""
    for value in values:
        if value is None:
            continue
        found = moment(value.get("end")) or moment(value.get("start")) if isinstance(value, dict) else moment(value)
        if found:
            return found
    return None


def years_between(birth: str, then: str) -> float:
    """Years of age; a missing month or day is taken as the middle of what it could be."""
    return (_day(then) - _day(birth)).days / DAYS_PER_YEAR


def _day(text: str) -> date:
    if len(text) >= 10:
        return date.fromisoformat(text[:10])
    return date(int(text[:4]), 7, 1) if len(text) == 4 else date(int(text[:4]), int(text[5:7]), 15)
