"""The library: cards, their loader, their checker, and the form a case is written on.

In: YAML cards. Out: a `Library`, a checked list of problems, a `Case` read from the form.
Refused: a card that breaks a rule, with file and line; a case with words no card knows.
"""

from .check import check
from .form import read_case_mapping, read_case_text
from .library import Library, library

__all__ = ["Library", "check", "library", "read_case_mapping", "read_case_text"]
