"""The hands of the service: threads that take up jobs, each with a process of its own that does the work.

The work runs apart, so that it can be stopped, cannot take the service down with it, and gives its memory back.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ..terms.errors import ResorbError
from . import jobs
from .audit import LOG, say
from .settings import Settings
from .shelves import Shelves
from .store import COMPARISONS, SCANS, Store

LOST = {
    "where": "work",
    "found": "it ended three times without an answer",
    "expected": "an answer",
    "try": "a smaller scan, or more memory",
}
SWEEP_SECONDS = 300.0
HALF_UPLOAD_SECONDS = 24 * 3600.0


class Hands:
    """Starts and stops the threads; `wake` tells them that there is something to do."""

    def __init__(self, settings: Settings, store: Store, shelves: Shelves) -> None:
        self.settings, self.store, self.shelves = settings, store, shelves
        self.stopping = threading.Event()
        self.bell = threading.Event()
        names = [f"{shelves.token}-{n}" for n in range(settings.jobs)]
        self.threads = [threading.Thread(target=Hand(self, name).work_on, name=f"hand-{n}", daemon=True) for n, name in enumerate(names)]
        self.threads.append(threading.Thread(target=self._tidy_on, name="tidy", daemon=True))

    def start(self) -> None:
        """Begin, with what those left behind who are no more."""
        jobs.take_back(self.store, self.shelves.lives)
        for thread in self.threads:
            thread.start()

    def wake(self) -> None:
        """There is a new job."""
        self.bell.set()

    def stop(self) -> None:
        """End; jobs under way go back into the queue."""
        self.stopping.set()
        self.bell.set()
        for thread in self.threads:
            thread.join(10)

    @property
    def alive(self) -> bool:
        """Whether every thread lives."""
        return all(thread.is_alive() for thread in self.threads)

    def _tidy_on(self) -> None:
        """Now and then: delete what is past its time, and what a crash left behind."""
        while not self.stopping.is_set():
            try:
                tidy(self.store, self.shelves, self.settings.limits.keep_hours * 3600)
            except (ResorbError, OSError) as error:
                say("tidying waits", error=type(error).__name__)
            self.stopping.wait(SWEEP_SECONDS)


class Hand:
    """One thread: takes a job, has it done, says how it ended."""

    def __init__(self, hands: Hands, name: str) -> None:
        self.hands, self.name = hands, name
        self.store, self.settings = hands.store, hands.settings
        self.child: Child | None = None

    def work_on(self) -> None:
        """Until the service stops."""
        while not self.hands.stopping.is_set():
            try:
                job = jobs.claim(self.store, self.name, self.settings.lease_seconds, self.settings.jobs)
                if job is not None:
                    self._do(job)
                    continue
            except ResorbError:
                self.hands.stopping.wait(1)
            except Exception:  # noqa: BLE001  (a fault in one job must not end the thread)
                LOG.exception("hand")
                self.hands.stopping.wait(1)
            self.hands.bell.wait(0.5)
            self.hands.bell.clear()
        self._send_home()

    def _do(self, job: dict[str, Any]) -> None:
        say("job taken", job=job["id"], kind=job["kind"], attempt=job["attempts"])
        folder = self.hands.shelves.of(job["subject"])
        if (folder / "result").is_dir():
            self._end(job, "done", "done")
            return
        if job["attempts"] > jobs.MOST_ATTEMPTS:
            keep_problem(folder, [LOST])
            self._end(job, "failed", "the work ended three times without an answer")
            return
        try:
            order = order_for(job, self.store, self.hands.shelves)
        except LookupError:
            self._end(job, "failed", "what it worked on is gone")
            return
        self._follow(job, folder, order)

    def _follow(self, job: dict[str, Any], folder: Path, order: dict[str, Any]) -> None:
        """Have the work done and pass on what is said of it, until it ends or is no longer ours."""
        child = self.child = self.child if self.child is not None and self.child.alive else Child()
        child.order(order)
        while True:
            told = child.next(min(1.0, self.settings.lease_seconds / 4))
            if self.hands.stopping.is_set():
                self._send_home()
                self._surely(lambda: jobs.release(self.store, job["id"], self.name))
                return
            if told.get("ended"):
                self._ended(job, folder, told)
                return
            if not self._surely(lambda: jobs.beat(self.store, job["id"], self.name, told.get("progress"), told.get("says"))):  # noqa: B023
                say("job dropped", job=job["id"])
                self._send_home()
                return

    def _ended(self, job: dict[str, Any], folder: Path, told: dict[str, Any]) -> None:
        if told["ended"] == "lost":
            say("work lost", job=job["id"], code=told.get("code"))
            self._send_home()
            self._surely(lambda: jobs.release_after_loss(self.store, job["id"], self.name))
        elif told["ended"] == "failed":
            if "fault" in told:
                say("work failed", job=job["id"], **told["fault"])
            keep_problem(folder, told["problems"])
            self._end(job, "failed", told["says"])
        else:
            self._end(job, "done", "done")

    def _end(self, job: dict[str, Any], state: str, says: str) -> None:
        self._surely(lambda: jobs.end(self.store, job["id"], self.name, state, says))
        say("job ended", job=job["id"], state=state)

    def _surely(self, step: Any) -> bool:
        """Do a step; while the database is away, wait for it to come back."""
        while True:
            try:
                return bool(step())
            except ResorbError:
                if self.hands.stopping.is_set():
                    return False
                time.sleep(0.5)

    def _send_home(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child = None


class Child:
    """The process that does the work: orders in, a line of JSON for each thing it has to say out.

    What libraries write to stderr goes nowhere, since it may quote a header; a fault is told by its kind and place.
    """

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "resorb.web.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, text=True, env=_environment(),
        )  # fmt: skip
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it lives."""
        return self.process.poll() is None

    def order(self, order: dict[str, Any]) -> None:
        """Give it something to do."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died; the listener says so

    def next(self, seconds: float) -> dict[str, Any]:
        """What it says next; nothing after so many seconds of silence."""
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            return {}

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put({"ended": "lost", "code": self.process.wait()})

    def kill(self) -> None:
        """End it and all it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()


def _environment() -> dict[str, str]:
    """Ours, without the secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RESORB_")}


def order_for(job: dict[str, Any], store: Store, shelves: Shelves) -> dict[str, Any]:
    """What the process is told. Raises LookupError where the scans are gone."""
    order: dict[str, Any] = {"kind": job["kind"], "folder": str(shelves.of(job["subject"]))}
    with store.begin() as connection:
        if job["kind"] == "measure":
            return order | {"settings": _settings(connection, job["subject"])}
        pair = connection.execute(select(COMPARISONS).where(COMPARISONS.c.id == job["subject"])).mappings().first()
        if pair is None:
            raise LookupError(job["subject"])
        for side in ("baseline", "followup"):
            order |= {side: str(shelves.of(pair[side])), f"{side}_settings": _settings(connection, pair[side])}
    return order | {"pair": json.loads(pair["settings"])}


def _settings(connection: Any, scan: str) -> Any:
    found = connection.execute(select(SCANS.c.settings).where(SCANS.c.id == scan)).scalar()
    if found is None:
        raise LookupError(scan)
    return json.loads(found)


def keep_problem(folder: Path, problems: list[dict[str, str]]) -> None:
    """Why a job failed is kept beside the upload, not in the database: it may name what was in a header."""
    try:
        part = folder / f".problem-{os.getpid()}"
        told = [{key: _placeless(folder, said) for key, said in problem.items()} for problem in problems]
        part.write_text(json.dumps(told), "utf-8")
        part.replace(folder / "problem.json")
    except OSError:
        LOG.warning("no room for the reason")


def _placeless(folder: Path, said: str) -> str:
    """Without the folders of the service: where it keeps its files is not for those who ask it."""
    ours = rf"{re.escape(str(folder.parent.parent))}/\w+/\w+/?(upload/?)?"
    return re.sub(ours, "", said) or ("the upload" if said else "")


def tidy(store: Store, shelves: Shelves, keep_seconds: float) -> None:
    """Delete what is past its time, and folders and rows that a crash left alone."""
    shelves.sweep(HALF_UPLOAD_SECONDS)
    with store.begin() as connection:
        known = {row.id: row.created for table in (SCANS, COMPARISONS) for row in connection.execute(select(table.c.id, table.c.created))}
    for subject, created in known.items():
        if created < time.time() - keep_seconds:
            for one in jobs.forget(store, subject):
                shelves.remove(one)
    for subject in shelves.on_shelves(older_than=HALF_UPLOAD_SECONDS):
        if subject not in known:
            shelves.remove(subject)
