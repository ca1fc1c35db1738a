"""`listen`: receive studies, measure each CT series when its study is quiet, send the results back, and go on."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resorb.pacs.delivering import deliver, ready, write
from resorb.pacs.failed import PacsFailed, need_libraries, quiet
from resorb.pacs.journal import DONE, FAILED, UNSENT, Entry, Journal
from resorb.pacs.receiving import Door, Told, found_on_disk, open_door
from resorb.terms.errors import ResorbError, UserError

LOOK_EVERY_S = 0.25
JOURNAL_PAUSE_S = 5.0
CUT_PAUSE_S = 300.0
SHORT = 8


@dataclass(frozen=True)
class Duty:
    """What to do with a study. folder : where everything lies. send : where results go; none keeps them in `results`.

    quiet_s : how long nothing must come before it is measured. keep : leave images and results where they are.
    settings : of `resorb.ct.measure`, none for its own.
    """

    folder: Path
    send: str | None = None
    quiet_s: float = 10.0
    keep: bool = False
    settings: Any = None
    say: Callable[[str], None] = field(default=lambda line: None)


def listen(door: Door, duty: Duty, stop: threading.Event) -> None:
    """Receive, measure and send until `stop` is set. What is said names studies by a hash alone.

    Studies that a former run left unfinished are measured first. An error in one study is said, and the next one is served.
    """
    need_libraries()
    door.checked()
    ready(duty.send)
    try:
        duty.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        journal = Journal(duty.folder, duty.quiet_s)
    except OSError as error:
        raise UserError(f"{duty.folder}: cannot be used ({error.strerror}); expected a folder of our own") from None
    try:
        left = found_on_disk(duty.folder, journal, 0.0)
        with quiet():
            server = open_door(door, duty.folder, _told(journal, door, duty))
            port = server.socket.getsockname()[1]
            duty.say(f"listening as {door.aet} on {door.host}:{port}{f', {left} studies found on disk' if left else ''}")
            try:
                while not stop.wait(LOOK_EVERY_S):
                    _look(journal, duty, stop)
            finally:
                server.shutdown()
    finally:
        journal.close()


def _told(journal: Journal, door: Door, duty: Duty) -> Told:
    """What the door tells goes into the journal, and is said where somebody may have to look after it."""

    def cut(keys: set[str]) -> None:
        pause = max(CUT_PAUSE_S, duty.quiet_s)
        with suppress(sqlite3.Error):  # on a full disk or at the very end; then they are measured as they are
            journal.wait(keys, pause)
            for key in sorted(keys):
                duty.say(f"study {key[:SHORT]}: its sender broke off; waiting {pause:g} s for the rest")

    def refused(caller: str, called: str) -> None:
        who = f" by {', '.join(door.callers)}" if door.callers else ""
        duty.say(f"refused a call by {caller!r} to {called!r}; expected one to {door.aet}{who}")

    return Told(lambda key: journal.arrived(key, duty.quiet_s), cut, refused)


def _look(journal: Journal, duty: Duty, stop: threading.Event) -> None:
    """Work on what is due. A journal that cannot be written, as on a full disk, is said, and tried again."""
    try:
        for key in journal.due():
            if not stop.is_set():
                work(journal.begin(key), journal, duty)
    except sqlite3.Error as error:
        duty.say(f"the journal cannot be written ({error}); trying again in {JOURNAL_PAUSE_S:g} s")
        stop.wait(JOURNAL_PAUSE_S)


def work(entry: Entry, journal: Journal, duty: Duty) -> None:
    """Measure one study and send what was found. Whatever goes wrong ends in the journal, never in the loop."""
    name = f"study {entry.key[:SHORT]}"
    if entry.state == FAILED:
        duty.say(f"{name}: {entry.said}")
        return
    images = sorted((duty.folder / "studies" / entry.key).rglob("*.dcm"))
    started = time.monotonic()
    try:
        made, said = _kept(duty.folder / "results" / entry.key) if entry.sends else _measured(duty, entry)
        sent = f"sent {len(made)} objects to {duty.send}" if duty.send else f"wrote {len(made)} objects"
        if duty.send is not None:
            deliver(made, send=duty.send)
        state, said = DONE, f"{len(images)} images; {said}; {sent}"
    except PacsFailed as error:
        state, said = UNSENT, str(error)
    except ResorbError as error:
        state, said = FAILED, str(error).replace("\n", "; ")
    except Exception as error:  # noqa: BLE001  one study must never end the service; the kind of error is all that may be said
        state, said = FAILED, f"failed ({type(error).__name__})"
    if not journal.end(entry, state, said):
        said, state = "more images came; it will be measured again", UNSENT
    if state == DONE and duty.send is not None and not duty.keep:
        _forget(images, duty, entry.key)
    duty.say(f"{name}: {said} ({time.monotonic() - started:.1f} s)")


def _measured(duty: Duty, entry: Entry) -> tuple[list[Any], str]:
    """The results of every CT series of a study that forms a volume, also written into `results`; and a line on each series."""
    from resorb.ct.entries import entries
    from resorb.ct.header import read_header
    from resorb.ct.series import FEWEST_FOR_VOLUME, gather

    home, place = (duty.folder / part / entry.key for part in ("studies", "results"))
    shutil.rmtree(place, ignore_errors=True)
    made: list[Any] = []
    said: list[str] = []
    headers = [header for entry in entries(home) if (header := read_header(entry)) is not None]
    for number, series in enumerate(s for s in gather(headers) if s.first.is_ct and not s.first.is_localizer):
        if series.frames < FEWEST_FOR_VOLUME:
            said.append(f"series {number + 1}: {series.frames} images are no volume")
            continue
        try:
            objects, deposits = _series(home, series.uid, duty)
            write(objects, place / f"series-{number + 1}")
            made += objects
            said.append(f"series {number + 1}: {deposits} deposits")
        except UserError as error:
            said.append(f"series {number + 1}: refused ({_without_names(error, series.uid)})")
    if not made:
        raise UserError("; ".join(said) or "no CT series")
    return made, "; ".join(said)


def _without_names(error: UserError, uid: str) -> str:
    """A refusal in one line, without the UID of the series."""
    return str(error).replace(uid, "UID").replace("\n", "; ")


def _series(home: Path, uid: str, duty: Duty) -> tuple[tuple[Any, ...], int]:
    from resorb.ct.finding import find
    from resorb.ct.measuring import Settings, measure
    from resorb.ct.reading import read
    from resorb.pacs.derived import Measured, results

    settings = duty.settings or Settings()
    scan = read(home, series=uid)
    findings = find(scan, contrast=settings.contrast)
    measured = measure(scan, settings=settings, findings=findings)
    return results(Measured.of(home, scan, findings, measured)), len(measured.deposits)


def _kept(place: Path) -> tuple[list[Any], str]:
    """Results that were made before and could not be sent."""
    import pydicom

    return [pydicom.dcmread(path) for path in sorted(place.rglob("*.dcm"))], "measured before"


def _forget(images: list[Path], duty: Duty, key: str) -> None:
    """Results are where they belong: keep no copy of the images that they were made from, nor of them."""
    for image in images:
        image.unlink(missing_ok=True)
    home = duty.folder / "studies" / key
    for folder in sorted((p for p in home.rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    if home.is_dir() and not any(home.iterdir()):
        home.rmdir()
    shutil.rmtree(duty.folder / "results" / key, ignore_errors=True)
