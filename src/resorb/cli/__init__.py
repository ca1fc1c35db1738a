"""The command line: parse, call one verb, print. Results on stdout, remarks on stderr.

In: arguments, files, stdin. Out: exit 0 answered, 1 failure, 2 usage, 3 input refused, 4 not enough to say.
"""

from .app import main

__all__ = ["main"]
