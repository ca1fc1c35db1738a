"""`python -m bench`: print every table as Markdown."""

from . import assess

for line in assess.lines():
    print(f"| {line.what} | {line.figure} |")
