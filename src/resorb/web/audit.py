"""The log and the audit trail: who asked for what, when, and how it ended. Never a name, a value, a query or a body."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from ..terms.errors import ResorbError
from .store import AUDIT, Store

LOG = logging.getLogger("resorb.web")
MOST_WAITING = 50_000
QUIET = frozenset({"GET /healthz", "GET /readyz"})


class JsonLines(logging.Formatter):
    """One JSON object for each line. Of an exception only its kind and place are written, since its message may quote input."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
        }
        if record.name.startswith("resorb"):
            line |= {"event": record.getMessage(), **getattr(record, "fields", {})}
        else:
            line["event"] = _foreign(record)
        if record.exc_info and record.exc_info[1] is not None:
            line |= place_of(record.exc_info[1])
        return json.dumps(line)


def place_of(error: BaseException) -> dict[str, Any]:
    """The kind of an error and where it came from, without what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "where": [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in frames[-8:]]}


def _foreign(record: logging.LogRecord) -> str:
    """What another library says: of the server its fixed words, of the rest only where it was said, since it may quote a header."""
    if record.name.startswith("uvicorn"):
        return str(record.msg).partition("\n")[0][:120]
    return f"{record.filename}:{record.lineno}"


def log_as_json(stream: Any = None) -> None:
    """Everything that is logged goes to stderr as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    LOG.setLevel(logging.INFO)


def say(event: str, **fields: object) -> None:
    """One line of log."""
    LOG.info(event, extra={"fields": fields})


class Audit:
    """Notes go to the log at once and to the database a moment later, many in one transaction; they wait while it is away."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)
        self.ring, self.stopped = threading.Event(), False
        self.thread = threading.Thread(target=self._write_on, name="audit", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self.thread.start()

    def note(self, *, action: str, **fields: Any) -> None:
        """Note one request."""
        if action in QUIET:
            return
        LOG.info("asked", extra={"fields": {"action": action, **fields}})
        self.waiting.append({"at": time.time(), "action": action[:120], **fields})
        self.ring.set()

    def flush(self) -> bool:
        """Write what waits. False while the database is away."""
        batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), 500))]
        if not batch:
            return True
        try:
            with self.store.begin() as connection:
                connection.execute(insert(AUDIT), batch)
        except ResorbError:
            self.waiting.extendleft(reversed(batch))
            return False
        return True

    def _write_on(self) -> None:
        while not self.stopped:
            self.ring.wait()
            self.ring.clear()
            time.sleep(0.2)
            while self.waiting and not self.stopped:
                if not self.flush():
                    time.sleep(2)

    def stop(self) -> None:
        """Write the rest and end."""
        self.stopped = True
        self.ring.set()
        self.thread.join(5)
        while self.waiting and self.flush():
            pass
