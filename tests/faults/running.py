"""The service as its own process, to be killed, starved and restarted."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from ..unit.web.serving import free_port

ENDED = ("done", "failed", "cancelled")


class Running:
    """`resorb serve` in a process of its own; `log` is what it wrote."""

    def __init__(self, data: Path, *arguments: str, file_bytes: int | None = None) -> None:
        self.data, self.port = data, free_port()
        self.log = data.with_name(f"{data.name}-{self.port}.log")
        command = [sys.executable, "-m", "resorb", "serve", "--data", str(data), "--port", str(self.port), *arguments]
        limit = None if file_bytes is None else (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes)))
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log, preexec_fn=limit)  # noqa: PLW1509
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)

    def until_ready(self, seconds: float = 60) -> Running:
        self.until(lambda: self.status("/readyz") == 200, seconds, "ready")
        return self

    def status(self, path: str) -> int:
        try:
            return self.client.get(path).status_code
        except httpx.TransportError:
            return 0

    def until(self, holds: Any, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"never {what}; its log: {self.log.read_text()[-2000:]}"
            time.sleep(0.05)

    def job(self, job: str) -> dict[str, Any]:
        return dict(self.client.get(f"/api/v1/jobs/{job}").json())

    def ended(self, job: str, seconds: float = 90) -> dict[str, Any]:
        self.until(lambda: self.job(job)["state"] in ENDED, seconds, "ended")
        return self.job(job)

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for one in listed for pid in one.read_text().split()]

    def kill(self) -> None:
        """As a power cut does it: no signal that can be caught."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.client.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        self.client.close()


@contextlib.contextmanager
def running(data: Path, *arguments: str, **more: Any) -> Iterator[Running]:
    """A service that is ready, and stopped at the end."""
    service = Running(data, *arguments, **more)
    try:
        yield service.until_ready()
    finally:
        service.stop()


def lives(pid: int) -> bool:
    """Whether a process runs (a dead one that nobody has waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def half_an_upload(port: int, whole: bytes) -> socket.socket:
    """Sends the first half of an upload and leaves the connection open."""
    head = (
        f"POST /api/v1/scans HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/zip\r\nContent-Length: {len(whole)}\r\n\r\n".encode()
    )
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(head + whole[: len(whole) // 2])
    return connection


def left_behind(data: Path) -> list[str]:
    """Everything half-made in a data folder."""
    parts = [p for p in data.rglob("*") if p.name.startswith((".result-", ".problem-"))]
    coming = [p for p in data.glob("incoming/*/*") if p.name != ".lock"]
    return [os.fspath(p) for p in (*parts, *coming)]
