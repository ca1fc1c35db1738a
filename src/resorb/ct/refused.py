"""Why a scan cannot be used: where, what was found, what was expected, what to try."""

from __future__ import annotations

from resorb.terms.errors import Problem, UserError


class ScanRefused(UserError):
    """The input is no CT volume that can be measured. Carries every problem found, each with its place."""

    def __init__(self, problems: list[Problem] | Problem, tried: str = "") -> None:
        self.problems = tuple(problems) if isinstance(problems, list) else (problems,)
        lines = [str(problem) for problem in self.problems]
        super().__init__("\n".join([*lines, f"try: {tried}"] if tried else lines))


def refuse(where: object, found: str, expected: str, tried: str = "") -> ScanRefused:
    """The exception for one problem, worded as found and expected."""
    return ScanRefused(Problem(str(where), f"found {found}; expected {expected}"), tried)
