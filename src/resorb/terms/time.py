"""Times in words."""

from __future__ import annotations

_WEEKS_PER_MONTH = 365.25 / 12 / 7


def months_in_words(months: float) -> str:
    """A time in months as a reader would say it: `4 weeks`, `16 months`, `3 years`.

    >>> months_in_words(0.92), months_in_words(16.1), months_in_words(36)
    ('4 weeks', '16 months', '3 years')
    """
    if months < 1 / 4:
        days = max(1, round(months * _WEEKS_PER_MONTH * 7))
        return "1 day" if days == 1 else f"{days} days"
    if months < 2:
        weeks = f"{months * _WEEKS_PER_MONTH:.0f}"
        return "1 week" if weeks == "1" else f"{weeks} weeks"
    if months < 24:
        return f"{months:.0f} months"
    years = months / 12
    return f"{years:.0f} years" if abs(years - round(years)) < 0.1 else f"{years:.1f} years"
