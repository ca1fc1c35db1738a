"""resorb: can this calcification go away, will it, what helps, and did it?

For research and education; not a medical device.

>>> import resorb
>>> said = resorb.assess(resorb.read_case({"site": "shoulder.supraspinatus", "findings": ["fluffy_margin"], "age": 48}))
>>> said.kinds[0].name
'calcific tendinopathy'
"""

from __future__ import annotations

from ._version import __version__
from .verbs import assess, compare, measure, read_case, read_result, write

__all__ = ["__version__", "assess", "compare", "measure", "read_case", "read_result", "write"]
