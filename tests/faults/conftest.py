"""Scans to upload, made once; a PostgreSQL of the tests' own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the service needs the extra `server`")
pytest.importorskip("pydicom", reason="uploads need the extra `image`")

from ..unit.ct.made_series import volume, write
from ..unit.web.serving import free_port, zipped


@pytest.fixture(scope="session")
def small(tmp_path_factory: Any) -> bytes:
    """A small CT as a zip: measured in a moment."""
    return zipped(write(tmp_path_factory.mktemp("small") / "ct", volume(slices=6, side=32)))


@pytest.fixture(scope="session")
def large(tmp_path_factory: Any) -> bytes:
    """A CT that takes a second or two."""
    return zipped(write(tmp_path_factory.mktemp("large") / "ct", volume(slices=40, side=256)))


class Database:
    """A PostgreSQL server in a folder of its own, run as its own user where the tests run as root."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs, self.port = folder, programs, free_port()
        self.url = f"postgresql://tester@127.0.0.1:{self.port}/postgres"
        self.run("initdb", "-D", str(folder / "db"), "-U", "tester", "--auth=trust", "--no-sync")

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.run("pg_ctl", "-D", str(self.folder / "db"), "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        """As if the machine it runs on went away."""
        self.run("pg_ctl", "-D", str(self.folder / "db"), "-m", "immediate", "-w", "stop")


@pytest.fixture
def database(tmp_path_factory: Any) -> Iterator[Database]:
    """A running PostgreSQL; the test is skipped, and says so, where there is none."""
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL (extra `postgres`)")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(p) for p in filter(None, [shutil.which("initdb")])]
    if not found:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    folder = Path("/tmp") / f"resorb-pg-{os.getpid()}"  # a short path that its own user may reach
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    made = Database(folder, found[-1].parent)
    made.start()
    yield made
    with contextlib.suppress(subprocess.CalledProcessError):  # stopped by the test
        made.stop()
    shutil.rmtree(folder, ignore_errors=True)
