"""The consulting room: a case and the evidence -> kinds, outlook, options, red flags, what to ask next.

In: a `Case` or a question, and a `Library`. Out: an `Assessment`, a comparison of kinds, an `Answer`. No files, clock or network.
Refuses nothing: what cannot be said is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resorb._on_demand import on_demand

if TYPE_CHECKING:
    from .asking import ask
    from .comparison import table
    from .consultation import assess
    from .worked_cases import run_worked_cases

__all__ = ["ask", "assess", "run_worked_cases", "table"]

_PLACES = {"ask": "asking", "assess": "consultation", "run_worked_cases": "worked_cases", "table": "comparison"}

__getattr__ = on_demand(__name__, _PLACES)
