"""Same input, same bytes: no answer depends on the order in which a process happens to walk its sets."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

ANSWER_ALL = """
import hashlib
from resorb.consult import assess
from resorb.evidence import library, read_case_mapping
from resorb.report import to_json

shelf = library()
for kind in shelf.decks.kinds:
    for case in kind.cases:
        answer = to_json(assess(read_case_mapping(case.given, shelf), shelf))
        print(kind.id, hashlib.sha256(answer.encode()).hexdigest()[:16])
"""


def test_every_worked_case_is_answered_alike_in_every_process() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", ANSWER_ALL], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for seed in ("1", "2")
    ]
    assert len(said[0]) > 400
    assert [one for one, other in zip(*said, strict=True) if one != other] == []


def test_a_flag_of_one_name_on_two_cards_is_raised_by_either(answer: Any) -> None:
    said = answer(site="ear_cartilage", symptoms=["weight_loss"])
    assert "adrenal_crisis" in {flag.id for flag in said.red_flags}
