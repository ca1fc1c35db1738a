"""What the service remembers: uploads, comparisons, jobs, who asked for what. No name, no value of a patient is kept here.

SQLite in the data folder, or any PostgreSQL by URL; the tables are made and changed by the migrations beside this file.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Float, Index, Integer, MetaData, String, Table, Text, create_engine, event, inspect
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from ..terms.errors import ResorbError, UserError
from .problems import Refused

META = MetaData()
SCANS = Table(
    "scans", META,
    Column("id", String(40), primary_key=True),
    Column("created", Float, nullable=False),
    Column("form", String(16), nullable=False),
    Column("files", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("settings", Text, nullable=False),
    Column("job", String(40), nullable=False),
    Column("owner", String(80), nullable=False),
)  # fmt: skip
COMPARISONS = Table(
    "comparisons", META,
    Column("id", String(40), primary_key=True),
    Column("created", Float, nullable=False),
    Column("baseline", String(40), nullable=False),
    Column("followup", String(40), nullable=False),
    Column("settings", Text, nullable=False),
    Column("job", String(40), nullable=False),
    Column("owner", String(80), nullable=False),
)  # fmt: skip
JOBS = Table(
    "jobs", META,
    Column("id", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", Float, nullable=False),
    Column("says", String(200), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("holder", String(40)),
    Column("beat", Float),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Index("jobs_by_state", "state", "created"),
)  # fmt: skip
KEYS = Table(
    "idempotency_keys", META,
    Column("key", String(64), primary_key=True),
    Column("created", Float, nullable=False),
    Column("subject", String(40), nullable=False),
    Column("sha256", String(64), nullable=False),
)  # fmt: skip
AUDIT = Table(
    "audit", META,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("request", String(40), nullable=False),
    Column("who", String(120), nullable=False),
    Column("action", String(120), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("ms", Float, nullable=False),
    Index("audit_by_time", "at"),
)  # fmt: skip
FEEDBACK = Table(
    "feedback", META,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("who", String(120), nullable=False),
    Column("service", String(80), nullable=False),
    Column("card", String(80), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("reason", String(120), nullable=False),
    Column("commented", Integer, nullable=False),
    Column("outcome_at", String(40), nullable=False),
)  # fmt: skip
SEEN = Table(
    "tokens_seen", META,
    Column("token", String(64), primary_key=True),
    Column("until", Float, nullable=False),
)  # fmt: skip

MIGRATING = 0x7265736F7262  # the number of the lock that PostgreSQL holds while tables change
AWAY = (OperationalError, InterfaceError)
_LITE: dict[str, Any] = {"connect_args": {"timeout": 30}}
_SERVER: dict[str, Any] = {"pool_pre_ping": True, "pool_timeout": 10, "connect_args": {"connect_timeout": 5}}


class Store:
    """The database. Every use is one short transaction; when it is away, the answer is 503 and the next use tries again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.lite = url.startswith("sqlite")
        try:
            self.engine = create_engine(url, pool_size=8, max_overflow=32, **(_LITE if self.lite else _SERVER))
        except (ArgumentError, ImportError) as error:
            found = f"no driver ({error.name})" if isinstance(error, ImportError) else "another address"
            expected = "postgresql://USER:PASSWORD@HOST/NAME, with the extra `postgres` installed"
            raise UserError(f"--database: found {found}; expected {expected}") from None
        if self.lite:
            event.listen(self.engine, "connect", _careful)

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction. Raises Refused (503) when the database cannot be reached or has no room."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except AWAY as error:
            raise _away(error) from None
        except DBAPIError as error:
            if error.connection_invalidated:
                raise _away(error) from None
            raise

    def answers(self) -> bool:
        """Whether the database can be reached."""
        try:
            with self.begin() as connection:
                connection.exec_driver_sql("SELECT 1")
        except Refused:
            return False
        return True

    def reach(self) -> None:
        """Say why the database cannot be reached, before the service starts. No password stands in what a database says."""
        try:
            self.engine.connect().close()
        except AWAY as error:
            said = " ".join(str(error.orig).split()).partition(" Is the server running")[0][:300]
            raise ResorbError(f"--database: cannot be reached ({said}); expected a database that answers") from None

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def _away(error: DBAPIError) -> Refused:
    full = "full" in str(error.orig).lower()
    if full:
        return Refused(507, "database", "no room left to write", "free space", "free some space and send it again", Retry_After="30")
    return Refused(503, "database", "no answer", "a database that answers", "try again in a moment", Retry_After="5")


def _careful(raw: Any, _: Any) -> None:
    """SQLite: readers do not wait for the writer, and what was committed survives a power cut."""
    cursor = raw.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def migrate(store: Store, lock: Path) -> None:
    """Bring the tables to the present form; several processes may start at once."""
    import fcntl

    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            _upgrade(store.engine)
        except AWAY as error:
            raise _away(error) from None


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
        head = ScriptDirectory.from_config(config).get_current_head()
        if MigrationContext.configure(connection).get_current_revision() != head:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def tables(store: Store) -> set[str]:
    """The tables there are."""
    return set(inspect(store.engine).get_table_names())


def now() -> float:
    """Seconds since 1970."""
    return time.time()
