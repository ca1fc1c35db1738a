"""Jobs in the database: one holder at a time, taken over when it falls silent, cancelled, started again, never lost."""

import os

import pytest
from sqlalchemy import insert, select, update

from resorb.web import hands, jobs
from resorb.web.problems import Refused
from resorb.web.settings import Limits
from resorb.web.shelves import Shelves
from resorb.web.store import AUDIT, JOBS, META, SCANS, Store, migrate, now, tables

LEASE = 5.0
LIMITS = Limits()


@pytest.fixture
def store(tmp_path):
    made = Store(f"sqlite:///{tmp_path / 'db.sqlite'}")
    migrate(made, tmp_path / "lock")
    yield made
    made.close()


def add(store, subject="s" + "0" * 24, limits=LIMITS):
    with store.begin() as connection:
        return jobs.add(connection, "measure", subject, limits)


def fall_silent(store):
    with store.begin() as connection:
        connection.execute(update(JOBS).values(beat=now() - LEASE - 1))


def test_the_migrations_make_the_tables_the_code_speaks_of(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    assert set(META.tables) <= tables(store)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), META) == []


def test_migrating_twice_changes_nothing(store, tmp_path):
    job = add(store)
    migrate(store, tmp_path / "lock")
    assert jobs.find(store, job)["state"] == "queued"


def test_the_oldest_job_is_taken_once(store):
    first, second = add(store), add(store)
    assert jobs.claim(store, "a", LEASE, 3)["id"] == first
    assert jobs.claim(store, "b", LEASE, 3)["id"] == second
    assert jobs.claim(store, "c", LEASE, 3) is None


def test_no_more_run_at_once_than_were_allowed(store):
    add(store), add(store)
    assert jobs.claim(store, "a", LEASE, 1)
    assert jobs.claim(store, "b", LEASE, 1) is None


def test_a_job_whose_holder_fell_silent_is_taken_over(store):
    job = add(store)
    jobs.claim(store, "a", LEASE, 1)
    assert jobs.claim(store, "b", LEASE, 1) is None
    fall_silent(store)
    assert jobs.claim(store, "b", LEASE, 1)["attempts"] == 2
    assert not jobs.beat(store, job, "a"), "the first holder learns that it is no longer its own"
    assert not jobs.end(store, job, "a", "done", "done")
    assert jobs.end(store, job, "b", "done", "done")
    assert jobs.find(store, job)["progress"] == 1.0


def test_the_jobs_of_a_dead_process_are_taken_back_at_once(store, tmp_path):
    first, second = add(store), add(store)
    living, dead = (Shelves(tmp_path / "data", LIMITS) for _ in range(2))
    jobs.claim(store, f"{living.token}-0", LEASE, 2)
    jobs.claim(store, f"{dead.token}-0", LEASE, 2)
    half = dead.incoming / "half-an-upload"
    half.mkdir()
    living.sweep(older_than=3600)
    assert half.is_dir(), "its process may still be writing"
    os.close(dead._held)
    jobs.take_back(store, living.lives)
    assert [jobs.find(store, job)["state"] for job in (first, second)] == ["running", "queued"]
    living.sweep(older_than=3600)
    assert not half.exists()
    living.close()


def test_a_cancelled_job_is_no_longer_the_holders(store):
    job = add(store)
    jobs.claim(store, "a", LEASE, 1)
    assert jobs.cancel(store, job)["state"] == "cancelled"
    assert not jobs.beat(store, job, "a", 0.5, "on it")
    assert jobs.again(store, job)["state"] == "queued"
    assert jobs.claim(store, "a", LEASE, 1)["attempts"] == 1


def test_what_has_ended_stays(store):
    job = add(store)
    jobs.claim(store, "a", LEASE, 1)
    jobs.end(store, job, "a", "done", "done")
    assert jobs.cancel(store, job)["state"] == "done"
    assert jobs.again(store, job)["state"] == "done"


def test_a_released_job_waits_again_and_the_attempt_does_not_count(store):
    job = add(store)
    jobs.claim(store, "a", LEASE, 1)
    assert jobs.release(store, job, "a")
    assert jobs.find(store, job)["attempts"] == 0
    jobs.claim(store, "a", LEASE, 1)
    assert jobs.release_after_loss(store, job, "a")
    assert jobs.find(store, job)["attempts"] == 1


def test_too_many_waiting_are_sent_away(store):
    for _ in range(3):
        add(store)
    with pytest.raises(Refused) as refused:
        add(store, limits=Limits(waiting_jobs=3))
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"]


def test_what_is_past_its_time_is_deleted_and_what_a_crash_left_too(store, tmp_path):
    shelves = Shelves(tmp_path / "data", Limits())
    old, new, orphan = ("s" + c * 24 for c in "abc")
    for scan, age in ((old, 7200.0), (new, 10.0)):
        (shelves.root / "scans" / scan).mkdir()
        job = add(store, scan)
        row = {
            "id": scan,
            "created": now() - age,
            "form": "dcm",
            "files": 1,
            "bytes": 1,
            "sha256": "",
            "settings": "{}",
            "job": job,
            "owner": "",
        }
        with store.begin() as connection:
            connection.execute(insert(SCANS).values(**row))
    (shelves.root / "scans" / orphan).mkdir()
    hands.tidy(store, shelves, keep_seconds=3600)
    assert {p.name for p in (shelves.root / "scans").iterdir()} == {new, orphan}, "an orphan may still be on its way in"
    with store.begin() as connection:
        assert connection.execute(select(SCANS.c.id)).scalars().all() == [new]


def test_notes_wait_while_the_database_is_away(store, monkeypatch):
    from resorb.web.audit import Audit

    audit = Audit(store)
    audit.note(action="GET /x", request="r", who="w", subject="", status=200, ms=1.0)
    real = store.begin

    def away():
        raise Refused(503, "database", "no answer")

    monkeypatch.setattr(store, "begin", away)
    assert not audit.flush()
    assert len(audit.waiting) == 1
    monkeypatch.setattr(store, "begin", real)
    assert audit.flush()
    with store.begin() as connection:
        assert connection.execute(select(AUDIT.c.action)).scalars().all() == ["GET /x"]
