"""Real peers for the tests: Orthanc with its DICOMweb plug-in on free ports, and the tools of dcmtk and dicom3tools."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pynetdicom.transport import AssociationSocket

PLUGINS = ("/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/local/share/orthanc/plugins")


def _shut(wire: AssociationSocket, shut: Any = AssociationSocket._shutdown_socket) -> None:
    """pynetdicom leaves a socket open where the peer was gone first, and the test that runs when it is swept up would fail for it."""
    held = wire.socket
    shut(wire)
    if held is not None:
        held.close()


AssociationSocket._shutdown_socket = _shut  # type: ignore[method-assign]


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip, and say why, where a program is not installed."""
    missing = [p for p in programs if _found(p) is None]
    if "Orthanc" in programs and not missing and _dicomweb() is None:
        missing = ["orthanc-dicomweb"]
    reason = f"not installed: {', '.join(missing)} (apt: orthanc orthanc-dicomweb dcmtk dicom3tools)"
    return pytest.mark.skipif(bool(missing), reason=reason)


def _found(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _dicomweb() -> Path | None:
    found = [p for folder in PLUGINS for p in sorted(Path(folder).glob("libOrthancDicomWeb.so*"))]
    return found[0] if found else None


@dataclass
class Orthanc:
    """One running Orthanc."""

    process: subprocess.Popen[bytes]
    http: int
    dicom: int

    @property
    def web(self) -> str:
        """Its DICOMweb root."""
        return f"http://127.0.0.1:{self.http}/dicom-web"

    @property
    def peer(self) -> str:
        """Its C-STORE address."""
        return f"ORTHANC@127.0.0.1:{self.dicom}"

    def ask(self, path: str) -> Any:
        """An answer of its own REST interface."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=20) as answer:
            return json.load(answer)

    def file(self, sop: str) -> bytes:
        """The DICOM file of one instance."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/tools/lookup", data=sop.encode())
        with urllib.request.urlopen(request, timeout=20) as answer:
            (found,) = json.load(answer)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/instances/{found['ID']}/file", timeout=20) as answer:
            return bytes(answer.read())

    def take(self, folder: Path) -> None:
        """C-STORE every file of a folder into it, with dcmtk."""
        command = ["storescu", "-R", "-aet", "TEST", "-aec", "ORTHANC", "127.0.0.1", str(self.dicom), "+sd", str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


@contextmanager
def orthanc(folder: Path, **settings: Any) -> Iterator[Orthanc]:
    """An Orthanc of the test's own: storage in `folder`, free ports, loopback, no other network."""
    http, dicom = free_port(), free_port()
    config = {
        "Name": "test", "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"),
        "Plugins": [str(_dicomweb())],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}, "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": True, **settings,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(_found("Orthanc")), str(folder / "config.json")], stdout=log, stderr=log)
        running = Orthanc(process, http, dicom)
        try:
            _wait(running, folder / "log")
            yield running
        finally:
            running.stop()


def _wait(running: Orthanc, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            running.ask("/system")
        except OSError:
            assert running.process.poll() is None, log.read_text()[-2000:]
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"Orthanc does not start: {log.read_text()[-2000:]}")


def dciodvfy(path: Path) -> list[str]:
    """The errors, and the warnings that are not about private coding schemes, that dciodvfy has."""
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, timeout=60, check=False)
    said = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith(("Error", "Warning"))]
    return [line for line in said if "99RESORB" not in line]


def dsrdump(path: Path) -> str:
    """What dcmtk reads in a structured report."""
    return subprocess.run(["dsrdump", "+U8", str(path)], capture_output=True, text=True, timeout=60, check=True).stdout
