"""What has arrived and how far each study is, in SQLite: an end without warning loses nothing that was answered for."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from resorb.terms.errors import UserError

MOST_TRIES = 3
FIRST_WAIT_S, LONGEST_WAIT_S = 15.0, 3600.0
ARRIVING, WORKING, UNSENT, DONE, FAILED = "arriving", "working", "unsent", "done", "failed"
_TABLE = """CREATE TABLE IF NOT EXISTS studies(
    key TEXT PRIMARY KEY, state TEXT NOT NULL, heard REAL NOT NULL, due REAL NOT NULL, images INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0, sends INTEGER NOT NULL DEFAULT 0, said TEXT NOT NULL DEFAULT '')"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One study. `heard` : when its last image came; `tries` : how often it was begun; `said` : the last outcome."""

    key: str
    state: str
    heard: float
    images: int
    tries: int
    sends: int
    said: str


class Journal:
    """The studies of one folder. Only one program may hold it. Every change is on disk before the call returns.

    What a former run left is due again: at once where it was begun, and `quiet` seconds after its last image where it was not.
    """

    def __init__(self, folder: Path, quiet: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._base = sqlite3.connect(folder / "journal.sqlite3", timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            for setting in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                self._base.execute(f"PRAGMA {setting}")
            for order in ("BEGIN EXCLUSIVE", _TABLE, "COMMIT"):
                self._base.execute(order)
            self._base.execute("UPDATE studies SET state=?, due=0, sends=0 WHERE state IN (?, ?)", (ARRIVING, WORKING, UNSENT))
            self._base.execute("UPDATE studies SET due=heard+? WHERE state=? AND due>heard+?", (quiet, ARRIVING, quiet))
        except sqlite3.OperationalError:
            self._base.close()
            raise UserError(f"{folder}: its journal is in use; expected one `resorb listen` for each folder") from None
        except sqlite3.DatabaseError:
            self._base.close()
            raise UserError(f"{folder}: its journal cannot be read; try another folder, and keep this one: the images are whole") from None

    def close(self) -> None:
        """Give the folder free."""
        with self._lock:
            self._base.close()

    def arrived(self, key: str, quiet: float) -> None:
        """An image of this study is on disk; the study is due when nothing more comes for `quiet` seconds."""
        now = time.time()
        with self._lock:
            self._base.execute(
                "INSERT INTO studies(key, state, heard, due, images) VALUES (?, ?, ?, ?, 1) ON CONFLICT(key) DO UPDATE "
                "SET state=excluded.state, heard=excluded.heard, due=excluded.due, images=images+1, tries=0, sends=0",
                (key, ARRIVING, now, now + quiet),
            )

    def wait(self, keys: Iterable[str], seconds: float) -> int:
        """Studies that are still arriving are not due for so long, unless more comes. Returns how many these are."""
        with self._lock:
            order = "UPDATE studies SET due=? WHERE key=? AND state=?"
            return sum(self._base.execute(order, (time.time() + seconds, key, ARRIVING)).rowcount for key in keys)

    def known(self) -> set[str]:
        """The studies it holds."""
        with self._lock:
            return {key for (key,) in self._base.execute("SELECT key FROM studies")}

    def due(self) -> list[str]:
        """The studies to be worked on now, the longest waiting first."""
        with self._lock:
            order = "SELECT key FROM studies WHERE state IN (?, ?) AND due <= ? ORDER BY due"
            return [key for (key,) in self._base.execute(order, (ARRIVING, UNSENT, time.time()))]

    def begin(self, key: str) -> Entry:
        """Work starts. A study that ended the program too often is given up."""
        with self._lock:
            self._base.execute("UPDATE studies SET tries=tries+1 WHERE key=?", (key,))
            entry = self._entry(key)
            given_up = entry.tries > MOST_TRIES and entry.state == ARRIVING
            state = FAILED if given_up else WORKING
            said = f"given up: begun {MOST_TRIES} times and never ended" if given_up else ""
            self._base.execute("UPDATE studies SET state=?, said=? WHERE key=?", (state, said, key))
            return self._entry(key)

    def end(self, entry: Entry, state: str, said: str) -> bool:
        """Work has ended, in the state given; false where images came meanwhile, and it will be done again."""
        with self._lock:
            if self._entry(entry.key).heard != entry.heard:
                return False
            sends = entry.sends + (state == UNSENT)
            wait = min(FIRST_WAIT_S * 2**sends, LONGEST_WAIT_S)
            order = "UPDATE studies SET state=?, said=?, sends=?, tries=0, due=? WHERE key=?"
            self._base.execute(order, (state, said, sends, time.time() + wait, entry.key))
            return True

    def entry(self, key: str) -> Entry:
        """How far one study is."""
        with self._lock:
            return self._entry(key)

    def _entry(self, key: str) -> Entry:
        row = self._base.execute("SELECT key, state, heard, images, tries, sends, said FROM studies WHERE key=?", (key,)).fetchone()
        return Entry(*row)
