"""Where the files of a scan come from: a folder, one file, or a zip that is never unpacked to disk."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from resorb.ct.refused import refuse

MOST_FILES = 20_000
MOST_BYTES = 16 * 2**30
MOST_RATIO = 250
SKIPPED = {"DICOMDIR", "Thumbs.db", ".DS_Store"}


@dataclass(frozen=True)
class Entry:
    """One file: its name for people, its size, and how to get its bytes. `path` is none inside a zip."""

    name: str
    size: int
    fetch: Callable[[], bytes]
    path: Path | None = None

    def head(self, size: int) -> bytes:
        """The first `size` bytes (of a zip's member: all of them)."""
        if self.path is None:
            return self.fetch()
        with self.path.open("rb", buffering=0) as file:
            return file.read(size)


def entries(path: Path) -> list[Entry]:
    """Every plain file below `path`, in name order. Refuses what is absent, empty, too much, or an unsafe zip."""
    if not path.exists():
        raise refuse(path, "nothing there", "a folder, a zip, a DICOM or a NIfTI file", "check the path")
    if path.is_dir():
        found = sorted(_walk(path), key=lambda entry: entry.name)
    elif not path.is_file():
        raise refuse(path, "neither a file nor a folder", "a folder, a zip, a DICOM or a NIfTI file")
    elif zipfile.is_zipfile(path):
        found = _zip_entries(path)
    else:
        found = [_file_entry(path, path.name, path.stat().st_size)]
    if not found:
        raise refuse(path, "no files", "the files of a CT series")
    return found


def _file_entry(path: Path, name: str, size: int) -> Entry:
    return Entry(name, size, path.read_bytes, path)


def _walk(folder: Path) -> Iterator[Entry]:
    """Files below a folder; links are not followed, hidden and housekeeping files are left out."""
    waiting, seen = [folder], 0
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as items:
                for item in items:
                    if item.name.startswith(".") or item.name in SKIPPED:
                        continue
                    if item.is_dir(follow_symlinks=False):
                        waiting.append(Path(item.path))
                        continue
                    info = item.stat()
                    if not stat.S_ISREG(info.st_mode):
                        continue
                    seen += 1
                    if seen > MOST_FILES:
                        raise refuse(folder, f"more than {MOST_FILES} files", "one study", "name the series' own folder")
                    full = Path(item.path)
                    yield _file_entry(full, str(full.relative_to(folder)), info.st_size)
        except OSError as error:
            raise refuse(here, f"a folder that cannot be read ({error.strerror})", "a readable folder") from None


def _zip_entries(path: Path) -> list[Entry]:
    """The members of a zip, read in memory one by one. Refuses path traversal, encryption and bombs."""
    try:
        archive = zipfile.ZipFile(path)
        members = [item for item in archive.infolist() if not item.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise refuse(path, f"a damaged zip ({error})", "a readable zip", "pack it again") from None
    _check_zip(path, members)
    kept = [item for item in members if not _hidden(item.filename)]
    return [Entry(item.filename, item.file_size, _member(archive, item, path)) for item in sorted(kept, key=lambda i: i.filename)]


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return parts[-1] in SKIPPED or any(part.startswith((".", "__MACOSX")) for part in parts)


def _check_zip(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_FILES:
        raise refuse(path, f"{len(members)} files", f"at most {MOST_FILES}", "pack one study")
    for item in members:
        pure = PurePosixPath(item.filename.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or (pure.parts and pure.parts[0].endswith(":")):
            raise refuse(path, f"a member that points outside the zip ({item.filename!r})", "plain relative names")
        if item.flag_bits & 1:
            raise refuse(path, f"an encrypted member ({item.filename!r})", "a zip without a password", "unpack it first")
    total, packed = sum(i.file_size for i in members), sum(i.compress_size for i in members)
    if total > MOST_BYTES or total > MOST_RATIO * max(packed, 1 << 16):
        raise refuse(path, f"{total:,} bytes packed into {packed:,}", f"at most {MOST_BYTES:,}, and {MOST_RATIO} times the packed size")


def _member(archive: zipfile.ZipFile, item: zipfile.ZipInfo, path: Path) -> Callable[[], bytes]:
    def fetch() -> bytes:
        try:
            with archive.open(item) as file:
                data = file.read(item.file_size + 1)
        except Exception as error:  # noqa: BLE001  zipfile and its decompressors raise many kinds for damaged members
            raise refuse(f"{path}/{item.filename}", f"a damaged zip member ({error})", "a readable zip", "pack it again") from None
        if len(data) > item.file_size:
            raise refuse(f"{path}/{item.filename}", "more bytes than the zip declares", "an honest zip")
        return data

    return fetch
