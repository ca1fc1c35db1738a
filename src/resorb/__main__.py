"""`python -m resorb`."""

from .cli import main

main()
