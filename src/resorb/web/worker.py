"""The process that does long work: `python -m resorb.web.worker`. Orders on stdin, one line of JSON each; what it says on stdout.

A result is made in a folder of its own and moved into place when it is whole.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..terms.errors import Problem, ResorbError
from .audit import place_of
from .problems import parted
from .shelves import NO_ROOM

Tell = Callable[[float, str], None]


def main() -> None:
    """Work through orders until stdin closes: then the service is gone, and so is the reason to go on."""
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints must not reach the service
    orders: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            orders.put(line)
        os._exit(0)

    def say(**told: Any) -> None:
        out.write(json.dumps(told) + "\n")
        out.flush()

    threading.Thread(target=listen, daemon=True).start()
    while True:
        say(**outcome(json.loads(orders.get()), lambda progress, says: say(progress=progress, says=says)))


def outcome(order: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Do one thing; how it ended."""
    folder = Path(order["folder"])
    part = folder / f".result-{os.getpid()}"
    try:
        for left in folder.glob(".result-*"):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir(mode=0o700)
        _work(part, order, tell)
        part.rename(folder / "result")
    except ResorbError as error:
        return failed("the scan cannot be used", error_problems(error))
    except Exception as error:  # noqa: BLE001  the service goes on, whatever a scan does to a library
        return _fault(error) | {"fault": place_of(error)}
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return {"ended": "done"}


def _work(part: Path, order: dict[str, Any], tell: Tell) -> None:
    if order["kind"] == "measure":
        from .measuring import measure_into

        measure_into(part, Path(order["folder"]), order["settings"], tell)
    else:
        from .comparing import compare_into

        sides = (Path(order["baseline"]), Path(order["followup"]))
        compare_into(part, sides, (order["baseline_settings"], order["followup_settings"]), order["pair"], tell)


def _fault(error: Exception) -> dict[str, Any]:
    """Why the work failed, where it was not the scan; nothing of what an unknown error says is passed on."""
    if isinstance(error, MemoryError):
        return _one("too little memory", "memory", "too little", "room for the scan", "a smaller scan")
    if isinstance(error, ImportError):
        install = "pip install 'resorb[image,register,server]'"
        return _one("a library is missing", "installation", f"no {error.name}", "the libraries of imaging", install)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return _one("the disk is full", "disk", "no room for the result", "room", "free some space, then start the job again")
    return _one("a fault in the work", "work", f"a fault ({type(error).__name__})", "an answer", "report what kind of scan does this")


def _one(says: str, where: str, found: str, expected: str, tried: str) -> dict[str, Any]:
    return failed(says, [{"where": where, "found": found, "expected": expected, "try": tried}])


def failed(says: str, problems: list[dict[str, str]]) -> dict[str, Any]:
    """The end of work that failed."""
    return {"ended": "failed", "says": says, "problems": problems}


def error_problems(error: ResorbError) -> list[dict[str, str]]:
    """An error of the house as the parts of a problem."""
    tried = str(error).rpartition("\ntry: ")[2] if "\ntry: " in str(error) else ""
    listed: tuple[Problem, ...] = getattr(error, "problems", ()) or (Problem("scan", str(error)),)
    return [parted(p, tried) for p in listed[:40]]


if __name__ == "__main__":
    main()
