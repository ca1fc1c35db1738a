"""Jobs: long work that is waited for. Who may take one up, how it goes on, how it ends; every step is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from .problems import Refused
from .settings import Limits
from .shelves import new_id
from .store import COMPARISONS, JOBS, KEYS, SCANS, Store, now

GOING = ("queued", "running")
MOST_ATTEMPTS = 3
Row = dict[str, Any]


def add(connection: Connection, kind: str, subject: str, limits: Limits) -> str:
    """A new job in the queue, within the transaction of what it works on. Raises Refused (503) when too many wait."""
    waiting = connection.execute(select(func.count()).select_from(JOBS).where(JOBS.c.state == "queued")).scalar_one()
    if waiting >= limits.waiting_jobs:
        found = f"{waiting} jobs waiting"
        raise Refused(503, "jobs", found, f"fewer than {limits.waiting_jobs}", "try again later", Retry_After="60")
    job = new_id("j")
    made = {"id": job, "kind": kind, "subject": subject, "state": "queued", "progress": 0.0, "says": "waiting", "attempts": 0}
    connection.execute(insert(JOBS).values(created=now(), **made))
    return job


def find(store: Store, job: str) -> Row:
    """One job. Raises Refused (404)."""
    with store.begin() as connection:
        row = connection.execute(select(JOBS).where(JOBS.c.id == job)).mappings().first()
    if row is None:
        raise Refused(404, "id", "no such job", "an id that this service gave")
    return dict(row)


def claim(store: Store, holder: str, lease: float, at_once: int) -> Row | None:
    """The oldest job that waits, or whose holder has fallen silent; it is ours now. None where there is none or enough run."""
    stale = and_(JOBS.c.state == "running", JOBS.c.beat < now() - lease)
    with store.begin() as connection:
        fresh = and_(JOBS.c.state == "running", JOBS.c.beat >= now() - lease)
        if connection.execute(select(func.count()).select_from(JOBS).where(fresh)).scalar_one() >= at_once:
            return None
        can = or_(JOBS.c.state == "queued", stale)
        pick = select(JOBS.c.id).where(can).order_by(JOBS.c.created).limit(1).with_for_update(skip_locked=True).scalar_subquery()
        taken = (
            update(JOBS)
            .where(JOBS.c.id == pick, or_(JOBS.c.state == "queued", stale))
            .values(
                state="running",
                holder=holder,
                beat=now(),
                attempts=JOBS.c.attempts + 1,
                says="starting",
                started=func.coalesce(JOBS.c.started, now()),
            )
            .returning(*JOBS.c)
        )
        row = connection.execute(taken).mappings().first()
    return None if row is None else dict(row)


def beat(store: Store, job: str, holder: str, progress: float | None = None, says: str | None = None) -> bool:
    """Say that a job goes on. False where it is no longer ours: cancelled, or taken over."""
    said: Row = {"beat": now()}
    said |= {} if progress is None else {"progress": progress}
    said |= {} if says is None else {"says": says[:200]}
    return _ours(store, job, holder, said)


def end(store: Store, job: str, holder: str, state: str, says: str) -> bool:
    """The job is done or failed."""
    said: Row = {"state": state, "says": says[:200], "ended": now(), "holder": None}
    return _ours(store, job, holder, said | ({"progress": 1.0} if state == "done" else {}))


def release(store: Store, job: str, holder: str) -> bool:
    """Put a job back into the queue; the attempt does not count."""
    return _ours(store, job, holder, {"state": "queued", "holder": None, "beat": None, "says": "waiting", "attempts": JOBS.c.attempts - 1})


def release_after_loss(store: Store, job: str, holder: str) -> bool:
    """Put a job back into the queue whose process died; the attempt counts."""
    return _ours(store, job, holder, {"state": "queued", "holder": None, "beat": None, "says": "waiting, after its process died"})


def take_back(store: Store, lives: Callable[[str], bool]) -> None:
    """Put the jobs of processes that are no more back into the queue, without waiting for them to fall silent."""
    with store.begin() as connection:
        for holder in connection.execute(select(JOBS.c.holder).where(JOBS.c.state == "running").distinct()).scalars().all():
            if not lives(str(holder).rpartition("-")[0]):
                mine = and_(JOBS.c.state == "running", JOBS.c.holder == holder)
                connection.execute(update(JOBS).where(mine).values(state="queued", holder=None, beat=None, says="waiting, after a restart"))


def _ours(store: Store, job: str, holder: str, said: Row) -> bool:
    with store.begin() as connection:
        changed = connection.execute(
            update(JOBS).where(JOBS.c.id == job, JOBS.c.holder == holder, JOBS.c.state == "running").values(**said)
        )
    return changed.rowcount == 1


def cancel(store: Store, job: str) -> Row:
    """Cancel a job that waits or runs; one that has ended stays as it is."""
    with store.begin() as connection:
        said = {"state": "cancelled", "says": "cancelled", "ended": now(), "holder": None}
        connection.execute(update(JOBS).where(JOBS.c.id == job, JOBS.c.state.in_(GOING)).values(**said))
    return find(store, job)


def again(store: Store, job: str) -> Row:
    """Put a failed or cancelled job back into the queue."""
    with store.begin() as connection:
        said = {"state": "queued", "says": "waiting", "progress": 0.0, "attempts": 0, "ended": None, "holder": None}
        connection.execute(update(JOBS).where(JOBS.c.id == job, JOBS.c.state.in_(("failed", "cancelled"))).values(**said))
    return find(store, job)


def forget(store: Store, subject: str) -> list[str]:
    """Delete the rows of a scan (with every comparison it is part of) or of a comparison. Returns what has files to delete."""
    with store.begin() as connection:
        part = select(COMPARISONS.c.id).where(or_(COMPARISONS.c.baseline == subject, COMPARISONS.c.followup == subject))
        gone = [subject, *connection.execute(part).scalars()]
        for table in (SCANS, COMPARISONS):
            connection.execute(delete(table).where(table.c.id.in_(gone)))
        for table in (JOBS, KEYS):
            connection.execute(delete(table).where(table.c.subject.in_(gone)))
    return gone
