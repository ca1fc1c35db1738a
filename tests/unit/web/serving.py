"""A real service for tests: uvicorn in a thread, on a port of its own, with everything it logs kept."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from resorb.web.app import create
from resorb.web.audit import JsonLines
from resorb.web.house import House
from resorb.web.settings import Settings

ENDED = ("done", "failed", "cancelled")


@dataclass
class Service:
    """A running service: a client for it, its inside, and what it logged."""

    client: httpx.Client
    house: House
    log: io.StringIO
    url: str

    def wait(self, job: str, seconds: float = 60.0) -> dict[str, Any]:
        """A job once it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            told = self.client.get(f"/api/v1/jobs/{job}").json()
            if told["state"] in ENDED:
                return told
            time.sleep(0.05)
        raise AssertionError(f"the job did not end: {told}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path, **more: Any) -> Iterator[Service]:
    """A service whose data lie in `folder`."""
    port = free_port()
    app = create(Settings(str(folder), port=port, **more))
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(JsonLines())
    for name in ("resorb.web", "uvicorn.error"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.INFO)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield Service(client, app.state.house, log, url)
    finally:
        server.should_exit = True
        thread.join(30)
        for name in ("resorb.web", "uvicorn.error"):
            logging.getLogger(name).removeHandler(handler)


def zipped(folder: Path) -> bytes:
    """The files of a folder as one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return packed.getvalue()
