"""A small DICOMweb server of the tests' own that can do everything wrong."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pydicom

BOUNDARY = "edge"


class Server:
    """Serves the files of a folder; `fault` says what goes wrong. Keeps what it was asked with."""

    def __init__(self, folder: Path | None = None, fault: str = "") -> None:
        self.fault, self.asked, self.posted = fault, [], []  # type: ignore[var-annotated]
        self.files: dict[str, tuple[bytes, Any]] = {}
        for path in sorted(folder.glob("*.dcm")) if folder else []:
            header = pydicom.dcmread(path, stop_before_pixels=True)
            self.files[str(header.SOPInstanceUID)] = (path.read_bytes(), header)
        self.stopping = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.http.server_address[1]}/dicom-web"

    @property
    def first(self) -> Any:
        """The header of any of its files."""
        return next(iter(self.files.values()))[1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append((self.path, dict(self.headers)))
                server.get(self)

            def do_POST(self) -> None:
                server.asked.append((self.path, dict(self.headers)))
                server.posted.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                server.post(self)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        return Handler

    def get(self, to: Any) -> None:
        """QIDO or WADO, as the fault will have it."""
        path = to.path.split("?")[0]
        wado = "/instances/" in path
        if self.fault == "hang" or (self.fault == "hang later" and wado):
            self.stopping.wait(30)
            return
        if self.fault.startswith("status "):
            answer(to, int(self.fault.split()[1]), b"no", "text/plain")
        elif self.fault == "busy at first" and len(self.asked) == 1:
            answer(to, 503, b"busy", "text/plain")
        elif self.fault == "redirect":
            to.send_response(302)
            to.send_header("Location", "http://127.0.0.1:9/elsewhere")
            to.send_header("Content-Length", "0")
            to.end_headers()
        elif self.fault == "html":
            answer(to, 200, b"<html>welcome</html>", "text/html")
        elif wado:
            self.wado(to, path.rsplit("/", 1)[1])
        elif path.endswith("/series"):
            answer(to, 200, json.dumps([self.series()] if self.fault != "nothing" else []).encode())
        else:
            self.instances(to)

    def series(self) -> dict[str, Any]:
        """The QIDO line on its one series."""
        count = len(self.files) + (10 if self.fault == "fewer" else 0)
        return {
            "00080060": {"vr": "CS", "Value": ["MR" if self.fault == "only MR" else "CT"]},
            "0020000E": {"vr": "UI", "Value": [str(self.first.SeriesInstanceUID)]},
            "00201209": {"vr": "IS", "Value": [count]},
        }

    def instances(self, to: Any) -> None:
        """The QIDO list of instances; some servers ignore the offset, or send a few at a time."""
        uids = list(self.files)
        if self.fault == "pages":
            offset = int(to.path.split("offset=")[1].split("&")[0])
            uids = uids[offset : offset + 5]
        if self.fault == "traversal":
            uids = ["../../../etc/passwd", *uids]
        answer(to, 200, json.dumps([{"00080018": {"vr": "UI", "Value": [uid]}} for uid in uids]).encode())

    def wado(self, to: Any, uid: str) -> None:
        """One instance."""
        data = self.files[uid][0]
        number = list(self.files).index(uid)
        if self.fault == "half" and number >= 12:
            answer(to, 404, b"", "text/plain")
            return
        if self.fault == "another":
            data = self.files[list(self.files)[(number + 1) % len(self.files)]][0]
        if self.fault == "garbage":
            data = b"\xff\x00garbage" * 1000
        if self.fault == "no pixels":
            data = without_pixels(data)
        body = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + data + f"\r\n--{BOUNDARY}--".encode()
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        if self.fault in ("endless", "drip"):
            self.without_end(to, kind)
        elif self.fault == "breaks off":
            to.send_response(200)
            to.send_header("Content-Type", kind)
            to.send_header("Content-Length", str(len(body)))
            to.end_headers()
            to.wfile.write(body[: len(body) // 2])
            to.close_connection = True
        elif self.fault == "cut":
            answer(to, 200, body[: len(body) * 3 // 4], kind)
        else:
            answer(to, 200, body, kind)

    def without_end(self, to: Any, kind: str) -> None:
        """A body that never ends: fast, or a byte at a time."""
        to.send_response(200)
        to.send_header("Content-Type", kind)
        to.end_headers()
        to.close_connection = True
        try:
            while not self.stopping.is_set():
                to.wfile.write(b"x" * (1 << 16 if self.fault == "endless" else 1))
                time.sleep(0 if self.fault == "endless" else 0.05)
        except OSError:
            return

    def post(self, to: Any) -> None:
        """STOW: what is stored and what is not, as the fault will have it."""
        sent = [pydicom.dcmread(part) for part in parts(self.posted[-1])]
        kept = {"nothing kept": [], "half kept": sent[: len(sent) // 2], "refuses": []}.get(self.fault, sent)
        lost = [s for s in sent if s not in kept]

        def line(instance: Any, **more: Any) -> dict[str, Any]:
            return {"00081155": {"vr": "UI", "Value": [str(instance.SOPInstanceUID)]}, **more}

        body: dict[str, Any] = {"00081199": {"vr": "SQ", "Value": [line(i) for i in kept]}}
        if lost:
            why = {"00081197": {"vr": "US", "Value": [0xA700]}}
            body["00081198"] = {"vr": "SQ", "Value": [line(i, **why) for i in lost]}
        if self.fault.startswith("status "):
            answer(to, int(self.fault.split()[1]), b"", "text/plain")
        elif self.fault == "says nothing":
            answer(to, 200, b"", "text/plain")
        else:
            status = 409 if self.fault == "refuses" else 202 if lost else 200
            answer(to, status, json.dumps(body).encode())


def without_pixels(data: bytes) -> bytes:
    """The same file up to its pixel data."""
    header, to = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True), io.BytesIO()
    header.save_as(to)
    return to.getvalue()


def parts(body: bytes) -> Iterator[Any]:
    """The DICOM files of a STOW body."""
    edge = body.split(b"\r\n", 2)[1]
    for part in body.split(edge)[1:-1]:
        yield io.BytesIO(part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n"))


def answer(to: Any, status: int, body: bytes, kind: str = "application/dicom+json") -> None:
    """A whole answer."""
    to.send_response(status)
    to.send_header("Content-Type", kind)
    to.send_header("Content-Length", str(len(body)))
    to.end_headers()
    to.wfile.write(body)


@contextmanager
def hostile(folder: Path | None = None, fault: str = "") -> Iterator[Server]:
    """A server with a fault, gone afterwards."""
    server = Server(folder, fault)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join(5)
