"""Results arrive whole, or it is said which did not; a folder holds whole files or none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pynetdicom import AE, evt

from resorb.pacs import deliver
from resorb.pacs.address import DimsePeer, web_address
from resorb.pacs.delivering import store, stow, write
from resorb.pacs.failed import PacsFailed
from resorb.pacs.web import Patience
from resorb.terms.errors import UserError
from tests.unit.pacs.hostile import hostile
from tests.unit.pacs.peers import free_port

IMPATIENT = Patience(connect=1.0, read=1.0, whole=2.0, attempts=1, pause=0.01)


@contextmanager
def peer(objects: tuple[Any, ...], answer: Any = 0x0000, classes: int = 3) -> Iterator[tuple[DimsePeer, list[Any]]]:
    """A C-STORE peer of the test's own; `answer` is a status, or what to do with the event."""
    ae, got = AE(ae_title="PEER"), []
    ae.require_called_aet = True
    for sop_class in list(dict.fromkeys(str(o.SOPClassUID) for o in objects))[:classes]:
        ae.add_supported_context(sop_class)

    def handle(event: Any) -> int:
        status = answer(event, len(got)) if callable(answer) else answer
        if status == 0x0000:
            got.append(event.dataset)
        return int(status)

    port = free_port()
    server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, handle)])
    try:
        yield DimsePeer("PEER", "127.0.0.1", port), got
    finally:
        server.shutdown()


def test_a_folder_gets_whole_files(objects: tuple[Any, ...], tmp_path: Path) -> None:
    said = deliver(objects, folder=tmp_path / "new" / "folder")
    names = {"seg.dcm", "sr.dcm", "picture-1.dcm", "picture-2.dcm", "picture-3.dcm"}
    assert {p.name for p in (tmp_path / "new" / "folder").iterdir()} == names
    assert "5 DICOM files" in said
    with pytest.raises(UserError, match="cannot be written"):
        write(objects, tmp_path / "new" / "folder" / "sr.dcm")


def test_a_full_disk_leaves_no_part_of_a_file(objects: tuple[Any, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, path: Any, **_: Any) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pydicom.Dataset, "save_as", full)
    with pytest.raises(UserError, match="No space left"):
        write(objects, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_c_store_brings_every_object(objects: tuple[Any, ...]) -> None:
    with peer(objects) as (to, got):
        store(objects, to, IMPATIENT)
    assert [g.SOPInstanceUID for g in got] == [o.SOPInstanceUID for o in objects]


def test_a_warning_is_stored_and_a_failure_is_not(objects: tuple[Any, ...]) -> None:
    with peer(objects, 0xB007) as (to, _):
        store(objects, to, IMPATIENT)
    with peer(objects, lambda event, n: 0x0000 if n < 1 else 0xA700) as (to, _), pytest.raises(PacsFailed, match=r"0xA700.*1 of 5"):
        store(objects, to, IMPATIENT)


def test_a_peer_that_aborts_in_the_middle(objects: tuple[Any, ...]) -> None:
    def abort(event: Any, n: int) -> int:
        if n == 2:
            event.assoc.abort()
        return 0x0000

    with peer(objects, abort) as (to, _), pytest.raises(PacsFailed, match=r"[23] of 5 objects stored"):
        store(objects, to, IMPATIENT)


def test_a_peer_that_hangs(objects: tuple[Any, ...]) -> None:
    until = threading.Event()
    with peer(objects, lambda *_: until.wait(3) and 0x0000) as (to, _):
        try:
            with pytest.raises(PacsFailed, match="did not answer in time"):
                store(objects, to, IMPATIENT)
        finally:
            until.set()


def test_a_peer_that_does_not_take_reports(objects: tuple[Any, ...]) -> None:
    with peer(objects, classes=1) as (to, _), pytest.raises(PacsFailed, match="does not take SR objects; 1 of 5"):
        store(objects, to, IMPATIENT)


def test_a_title_that_is_not_known_and_a_port_that_is_closed(objects: tuple[Any, ...]) -> None:
    with peer(objects) as (to, _), pytest.raises(PacsFailed, match="AE title"):
        store(objects, DimsePeer("OTHER", to.host, to.port), IMPATIENT)
    with pytest.raises(PacsFailed, match="Connection refused"):
        store(objects, DimsePeer("PEER", "127.0.0.1", free_port()), IMPATIENT)
    with pytest.raises(UserError, match="nobody knows"):
        store(objects, DimsePeer("PEER", "no-such-host.invalid", 104), IMPATIENT)


def test_stow_brings_every_object(objects: tuple[Any, ...]) -> None:
    with hostile() as server:
        stow(objects, web_address(server.root), IMPATIENT)
        assert server.asked[0][0] == f"/dicom-web/studies/{objects[0].StudyInstanceUID}"
        assert all(str(o.SOPInstanceUID).encode() in server.posted[0] for o in objects)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("half kept", r"stored 2 of 5 objects.*0xA700"),
        ("nothing kept", r"stored 0 of 5"),
        ("refuses", r"stored 0 of 5.*SEG \(reason 0xA700\)"),
        ("status 500", "HTTP 500"),
        ("status 401", "RESORB_PACS_TOKEN"),
        ("status 409", "HTTP 409"),
    ],
)
def test_what_stow_does_not_store_is_no_success(objects: tuple[Any, ...], fault: str, said: str) -> None:
    with hostile(None, fault) as server, pytest.raises(PacsFailed, match=said):
        stow(objects, web_address(server.root), IMPATIENT)


def test_an_answer_that_says_nothing_is_looked_after(objects: tuple[Any, ...], tmp_path: Path) -> None:
    with hostile(None, "says nothing") as server, pytest.raises(PacsFailed, match="stored 0 of 5"):
        stow(objects, web_address(server.root), IMPATIENT)
    write(objects, tmp_path)
    with hostile(tmp_path, "says nothing") as server:  # the objects are there when it is asked
        stow(objects, web_address(server.root), IMPATIENT)
