"""Errors for people: where, what was found, what was expected, what to try."""

from __future__ import annotations

from dataclasses import dataclass


class ResorbError(Exception):
    """Base of every error raised on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class UserError(ResorbError):
    """The input cannot be used; the message is all the user needs."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it stands and what is wrong with it."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


_SHOWN = 40


class CaseRefused(UserError):
    """A case that cannot be read; carries every problem found in it at once."""

    def __init__(self, problems: list[Problem]) -> None:
        rest = f"\n... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        super().__init__("\n".join(map(str, problems[:_SHOWN])) + rest)
        self.problems = tuple(problems)


class EvidenceInvalid(ResorbError):
    """The cards themselves are broken."""
