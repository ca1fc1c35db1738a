"""The receiver: what was answered for is never lost, nonsense is turned away, and one bad study does not end the service."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt

from resorb.pacs.failed import PacsFailed, quiet
from resorb.pacs.journal import ARRIVING, DONE, FAILED, UNSENT, Journal
from resorb.pacs.listening import Duty, listen
from resorb.pacs.receiving import Door, found_on_disk, study_key, write_whole
from resorb.terms.errors import UserError
from tests.unit.pacs.made_study import write_study
from tests.unit.pacs.peers import free_port

Say = list[str]


@contextmanager
def listening(folder: Path, *, send: str | None = None, quiet_s: float = 0.3, keep: bool = False, **door: Any) -> Iterator[tuple[int, Say]]:
    """A receiver in a thread; ends with the block."""
    port, said, stop = free_port(), [], threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            listen(Door(port=port, **door), Duty(folder, send, quiet_s, keep, None, said.append), stop)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_for(lambda: said or failed)
        if failed:
            raise failed[0]
        yield port, said
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def wait_for(what: Callable[[], Any], seconds: float = 30) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def send(port: int, files: list[Any], aet: str = "RESORB", us: str = "TEST", sop_class: str = CTImageStorage) -> list[int]:
    """The status of each file or data set, sent over one association."""
    with quiet():
        ae = AE(ae_title=us)
        ae.add_requested_context(sop_class, ExplicitVRLittleEndian)
        association = ae.associate("127.0.0.1", port, ae_title=aet)
        if not association.is_established:
            return [-1]
        data = [pydicom.dcmread(f) if isinstance(f, Path) else f for f in files]
        status = [association.send_c_store(d).get("Status", -2) for d in data]
        association.release()
        return status


def state(folder: Path) -> list[tuple[Any, ...]]:
    """What the journal holds, once its listener has ended."""
    with sqlite3.connect(folder / "journal.sqlite3") as base:
        found = base.execute("SELECT key, state, images FROM studies").fetchall()
    base.close()
    return found


def test_a_study_is_measured_when_it_is_quiet_and_results_are_kept(study: Path, tmp_path: Path) -> None:
    uid = str(pydicom.dcmread(next(study.iterdir()), stop_before_pixels=True).StudyInstanceUID)
    with listening(tmp_path / "in") as (port, said):
        assert send(port, sorted(study.iterdir())) == [0] * 24
        wait_for(lambda: len(said) > 1)
    assert "24 images; series 1: 2 deposits; wrote 5 objects" in said[1]
    assert {p.name for p in (tmp_path / "in" / "results" / study_key(uid) / "series-1").iterdir()} >= {"seg.dcm", "sr.dcm"}
    assert (tmp_path / "in").stat().st_mode & 0o777 == 0o700
    assert state(tmp_path / "in") == [(study_key(uid), DONE, 24)]
    for secret in ("Nämlich", "P-1", uid, "19550505"):
        assert secret not in " ".join(said)


def test_what_was_sent_on_is_not_kept(study: Path, tmp_path: Path) -> None:
    got: list[Any] = []
    ae = AE(ae_title="BACK")
    for sop_class in ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.7"):
        ae.add_supported_context(sop_class)

    def take(event: Any) -> int:
        got.append(event.dataset)
        return 0

    port = free_port()
    server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, take)])
    try:
        with listening(tmp_path / "in", send=f"BACK@127.0.0.1:{port}") as (ours, said):
            send(ours, sorted(study.iterdir()))
            wait_for(lambda: len(said) > 1)
    finally:
        server.shutdown()
    assert [str(g.Modality) for g in got] == ["SEG", "SR", "OT", "OT", "OT"]
    assert not list((tmp_path / "in").rglob("*.dcm"))


def test_results_that_cannot_be_sent_wait_and_are_sent_by_the_next_run(study: Path, tmp_path: Path) -> None:
    nobody = f"BACK@127.0.0.1:{free_port()}"
    with listening(tmp_path / "in", send=nobody) as (port, said):
        send(port, sorted(study.iterdir()))
        wait_for(lambda: len(said) > 1)
    assert "cannot be reached" in said[1]
    assert state(tmp_path / "in")[0][1] == UNSENT
    assert len(list((tmp_path / "in" / "studies").rglob("*.dcm"))) == 24
    with listening(tmp_path / "in") as (_, said):
        wait_for(lambda: len(said) > 1)
    assert "2 deposits" in said[1]


def test_nonsense_is_turned_away_and_the_door_stays_open(study: Path, tmp_path: Path) -> None:
    good = sorted(study.iterdir())

    def spoilt(**changes: Any) -> Any:
        data = pydicom.dcmread(good[0])
        for name, value in changes.items():
            delattr(data, name) if value is None else setattr(data, name, value)
        return data

    with quiet(), listening(tmp_path / "in") as (port, said):
        assert send(port, [spoilt(StudyInstanceUID=None)])[0] == 0xC000
        assert send(port, [spoilt(SeriesInstanceUID="../../up")])[0] == 0xC000
        assert send(port, [spoilt(Rows=None)])[0] == 0xC000
        assert send(port, good, aet="OTHER") == [-1]
        assert send(port, good, sop_class="1.2.840.10008.5.1.4.1.1.4") == [-1]
        import socket

        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        assert send(port, good) == [0] * 24
        wait_for(lambda: len(said) > 2)
    assert "refused a call by 'TEST' to 'OTHER'" in said[1]
    assert "2 deposits" in said[2]
    assert not (tmp_path / "up").exists()


def test_a_study_that_is_refused_does_not_keep_the_next_from_being_measured(study: Path, tmp_path: Path) -> None:
    broken = write_study(tmp_path / "broken", name="broken")
    gap = [p for p in sorted(broken.iterdir()) if pydicom.dcmread(p, stop_before_pixels=True).InstanceNumber != 12]
    with listening(tmp_path / "in", quiet_s=0.6) as (port, said):
        send(port, gap)
        send(port, sorted(study.iterdir()))
        wait_for(lambda: len(said) > 2)
    assert "refused" in said[1]
    assert "2 deposits" in said[2]
    assert sorted(s for _, s, _ in state(tmp_path / "in")) == [DONE, FAILED]


def test_only_known_titles_may_call_and_other_machines_only_with_a_title(study: Path, tmp_path: Path) -> None:
    with listening(tmp_path / "in", callers=("CT1",)) as (port, _):
        assert send(port, sorted(study.iterdir())[:1], us="TEST") == [-1]
        assert send(port, sorted(study.iterdir())[:1], us="CT1") == [0]
    with pytest.raises(UserError, match="--from"):
        Door(host="0.0.0.0").checked()
    with pytest.raises(UserError, match="--aet"):
        Door(aet="much too long a title").checked()


def test_one_listener_for_a_folder_and_a_port(tmp_path: Path) -> None:
    with listening(tmp_path / "in") as (port, _):
        with pytest.raises(UserError, match="in use"):
            listen(Door(port=free_port()), Duty(tmp_path / "in"), threading.Event())
        with pytest.raises(PacsFailed, match="taken"):
            listen(Door(port=port), Duty(tmp_path / "other"), threading.Event())


def test_a_full_disk_is_told_to_the_sender(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(data: bytes, aside: Path, to: Path) -> None:
        raise OSError(28, "No space left on device")

    with listening(tmp_path / "in") as (port, _):
        with monkeypatch.context() as patch:
            patch.setattr("resorb.pacs.receiving.write_whole", full)
            assert send(port, sorted(study.iterdir())[:1]) == [0xA700]
        with monkeypatch.context() as patch:
            patch.setattr("resorb.pacs.receiving.KEPT_FREE_BYTES", 2**62)
            assert send(port, sorted(study.iterdir())[:1]) == [0xA700]
        assert send(port, sorted(study.iterdir())[:1]) == [0]


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    with pytest.raises(OSError):
        write_whole(b"data", tmp_path / "aside", tmp_path / "nowhere" / "x.dcm")
    assert list((tmp_path / "aside").iterdir()) == []


def test_the_journal_begins_again_what_never_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.arrived("a", 0.0)
    journal.arrived("b", 100.0)
    assert journal.due() == ["a"]
    assert journal.begin("a").tries == 1
    assert journal.due() == []
    journal.close()  # as after a kill: "a" was begun and never ended
    for tries in (2, 3):
        journal = Journal(tmp_path)
        assert journal.entry("a").state == ARRIVING
        assert "a" in journal.due()
        assert journal.begin("a").tries == tries
        journal.close()
    journal = Journal(tmp_path)
    assert journal.begin("a").state == FAILED
    assert "never ended" in journal.entry("a").said
    assert journal.due() == ["b"]  # it waited 100 s for more; this run waits for none
    journal.close()


def test_what_lies_on_disk_without_an_entry_is_entered_and_half_files_are_cleared(tmp_path: Path) -> None:
    for place in ("arriving", "studies/a/s", "studies/b/s", "studies/empty/s"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "arriving" / "half").write_bytes(b"DICM")
    for name in "ab":
        (tmp_path / "studies" / name / "s" / "x.dcm").write_bytes(b"whole")
    journal = Journal(tmp_path)
    journal.arrived("a", 100.0)
    assert found_on_disk(tmp_path, journal, 0.0) == 1
    assert journal.due() == ["b"]
    assert list((tmp_path / "arriving").iterdir()) == []
    journal.close()


def test_a_journal_that_cannot_be_written_is_said_and_the_service_goes_on(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Journal) -> list[str]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("resorb.pacs.listening.JOURNAL_PAUSE_S", 0.1)
    with listening(tmp_path / "in") as (port, said):
        with monkeypatch.context() as patch:
            patch.setattr(Journal, "due", full)
            wait_for(lambda: len(said) > 1)
            assert "disk is full" in said[1]
        send(port, sorted(study.iterdir()))
        wait_for(lambda: "2 deposits" in said[-1])


def test_images_that_come_while_a_study_is_measured_make_it_due_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.arrived("a", 0.0)
    entry = journal.begin("a")
    time.sleep(0.01)
    journal.arrived("a", 0.0)
    assert not journal.end(entry, DONE, "measured")
    assert journal.due() == ["a"]
    again = journal.begin("a")
    assert journal.end(again, DONE, "measured")
    assert (journal.due(), journal.entry("a").images) == ([], 2)
    journal.close()


def test_a_journal_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match="cannot be read"):
        Journal(tmp_path)


def test_a_sender_that_breaks_off_is_waited_for(study: Path, tmp_path: Path) -> None:
    files = sorted(study.iterdir())
    with listening(tmp_path / "in") as (port, said):
        with quiet():
            ae = AE(ae_title="TEST")
            ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
            association = ae.associate("127.0.0.1", port, ae_title="RESORB")
            for file in files[:9]:
                assert association.send_c_store(pydicom.dcmread(file)).Status == 0
            association.abort()
        wait_for(lambda: len(said) > 1)
        assert "its sender broke off; waiting 300 s" in said[1]
        time.sleep(0.6)  # twice as long as it waits for one that ended well
        assert len(said) == 2
        assert send(port, files[9:]) == [0] * (len(files) - 9)
        wait_for(lambda: len(said) > 2)
    assert "24 images; series 1: 2 deposits" in said[2]


def test_a_call_that_is_refused_is_said_with_its_titles(tmp_path: Path) -> None:
    with listening(tmp_path / "in", callers=("SCANNER",)) as (port, said):
        assert send(port, [], us="STRANGER") == [-1]
        wait_for(lambda: len(said) > 1)
        assert send(port, [], us="SCANNER", aet="OTHER") == [-1]
        wait_for(lambda: len(said) > 2)
    assert said[1:] == [
        f"refused a call by {by!r} to {to!r}; expected one to RESORB by SCANNER"
        for by, to in (("STRANGER", "RESORB"), ("SCANNER", "OTHER"))
    ]
