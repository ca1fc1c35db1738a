"""`python -m bench`: print every table as Markdown."""

from __future__ import annotations

from . import assess, measure, recognition, service

print("### Recognition of published cases\n")
print("\n".join(recognition.lines()))
print("\n### Speed of an assessment\n\n| what | figure |\n|---|---|")
for line in assess.lines():
    print(f"| {line.what} | {line.figure} |")
print()
measure.main()
service.main()
