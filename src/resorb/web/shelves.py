"""The shelves: what was uploaded and what was made of it, under names of our own. Made whole elsewhere, then moved into place."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ..terms.errors import UserError
from .problems import Refused
from .settings import Limits

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOCK = ".lock"
MIGRATING = ".migrating"
FOLDERS = {"s": "scans", "c": "comparisons"}


def new_id(letter: str) -> str:
    """A name nobody can guess."""
    return letter + secrets.token_hex(12)


class Shelves:
    """Folders below one root, readable by the user of the service alone."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root, self.limits = root, limits
        self.token = new_id("p")
        self.incoming = root / "incoming" / self.token
        try:
            for folder in (root, *(root / name for name in (*FOLDERS.values(), "gone", "incoming")), self.incoming):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held = os.open(self.incoming / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)
        except OSError as error:
            raise UserError(f"--data: {root}: cannot be made ({error.strerror}); expected a folder that can be written") from None

    def close(self) -> None:
        """Let go of the folder of incoming things."""
        os.close(self._held)
        shutil.rmtree(self.incoming, ignore_errors=True)

    def lives(self, token: str) -> bool:
        """Whether the process with this token still runs: it holds a lock for as long as it lives."""
        try:
            with (self.root / "incoming" / token / LOCK).open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def of(self, subject: str) -> Path:
        """The folder of a scan or a comparison. Ids are our own: anything else is refused."""
        if not (subject[:1] in FOLDERS and subject[1:].isalnum() and subject.isascii() and len(subject) <= 40):
            raise Refused(404, "id", "no such thing", "an id that this service gave")
        return self.root / FOLDERS[subject[0]] / subject

    def result(self, subject: str, name: str) -> Path:
        """A file of a result. Raises Refused (404) where it was not made."""
        found = self.of(subject) / "result" / name
        if not found.is_file():
            raise Refused(404, "id", "nothing made yet, or nothing any more", "a job that is done", "look at the job")
        return found

    def has_room(self) -> bool:
        """Whether there is room for work, and the folder can be written."""
        try:
            probe = self.incoming / f".probe-{secrets.token_hex(4)}"
            probe.write_bytes(b"x")
            probe.unlink()
            return shutil.disk_usage(self.root).free >= self.limits.spare_bytes
        except OSError:
            return False

    def check_room(self, coming: int = 0) -> None:
        """Raises Refused (507) where what is coming would fill the disk."""
        if shutil.disk_usage(self.root).free < self.limits.spare_bytes + coming:
            raise no_room()

    @contextlib.contextmanager
    def made(self, letter: str) -> Iterator[tuple[str, Path]]:
        """A new folder to fill: (id, folder). Gone, with all in it, unless `place` was called."""
        subject = new_id(letter)
        folder = self.incoming / subject
        try:
            folder.mkdir(mode=0o700)
            yield subject, folder
        except OSError as error:
            if error.errno in NO_ROOM:
                raise no_room() from None
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def place(self, subject: str, folder: Path) -> None:
        """Put a filled folder on its shelf, whole."""
        folder.rename(self.of(subject))

    def remove(self, subject: str) -> None:
        """Take a thing off its shelf at once, then delete it."""
        gone = self.root / "gone" / new_id("g")
        with contextlib.suppress(FileNotFoundError):
            self.of(subject).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def on_shelves(self, older_than: float) -> list[str]:
        """Everything on the shelves that has lain there for so many seconds."""
        limit = time.time() - older_than
        return [p.name for name in FOLDERS.values() for p in (self.root / name).iterdir() if _changed(p) < limit]

    def sweep(self, older_than: float) -> None:
        """Delete what a crash left behind: half uploads of processes that are no more, and things long on their way out."""
        for left in (self.root / "incoming").iterdir():
            if left != self.incoming and not self.lives(left.name):
                shutil.rmtree(left, ignore_errors=True)
        for left in (self.root / "gone").iterdir():
            if _changed(left) < time.time() - older_than:
                shutil.rmtree(left, ignore_errors=True)


def _changed(path: Path) -> float:
    """When something in a folder last changed; now where it is gone."""
    try:
        return max(path.stat().st_mtime, *(entry.stat().st_mtime for entry in os.scandir(path))) if path.is_dir() else path.stat().st_mtime
    except (OSError, TypeError):
        return time.time()


def no_room() -> Refused:
    """The answer where the disk is full."""
    return Refused(
        507, "disk", "too little room", "room for the upload and its result", "free some space and send it again", Retry_After="60"
    )
