"""The consulting room: a case and the evidence -> kinds, outlook, options, red flags, what to ask next.

In: a `Case` and a `Library`. Out: an `Assessment`. No files, clock or network. Refuses nothing: what cannot be said is said.
"""

from .asking import ask
from .comparison import table
from .consultation import assess
from .worked_cases import run_worked_cases

__all__ = ["ask", "assess", "run_worked_cases", "table"]
