"""Uploads: a multipart body (or one file as the whole body) streamed to disk, under names of our own, within limits.

A file is numbered in the order it was sent; the name the client gave is neither used nor kept, since it may name a person.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from .problems import Refused
from .settings import Limits

WHOLE = (
    "application/zip",
    "application/dicom",
    "application/octet-stream",
    "application/gzip",
    "application/x-gzip",
    "application/x-nifti",
)
HEAD = 352
MOST_FIELD = 4_096
MOST_FIELDS = 32


@dataclass
class Received:
    """What came: files on disk by part name, plain fields, bytes in all, and a hash of all files in order."""

    folder: Path
    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=dict)
    bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def count(self) -> int:
        return sum(map(len, self.files.values()))


async def receive(request: Request, folder: Path, limits: Limits) -> Received:
    """Write everything that is sent below `folder`. Raises Refused: 413 too much, 415 another form, 400 damaged."""
    kind = request.headers.get("content-type", "")
    plain = kind.partition(";")[0].strip().lower()
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > limits.upload_bytes:
        raise too_much(f"{int(told):,} bytes", limits)
    into = _Parts(folder, limits)
    if plain == "multipart/form-data":
        feed: Any = _parser(kind, into)
    elif plain in WHOLE:
        into.whole()
        feed = into
    else:
        raise Refused(415, "Content-Type", repr(plain or "nothing"), "multipart/form-data, or a file as " + ", ".join(WHOLE))
    try:
        async for batch in _batches(request, limits):
            await run_in_threadpool(feed.write, batch)
        await run_in_threadpool(feed.finalize)
        await run_in_threadpool(into.finish)
    finally:
        into.close()
    return into.received


async def _batches(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """The body in pieces of about a quarter of a megabyte. A sender that falls silent is cut off."""
    held, size = [], 0
    stream = request.stream().__aiter__()
    while True:
        try:
            with anyio.fail_after(limits.upload_idle_seconds):
                piece = await anext(stream)
        except StopAsyncIteration:
            break
        except TimeoutError:
            raise Refused(
                408, "body", f"silence for {limits.upload_idle_seconds:g} seconds", "the rest of the upload", "send it again"
            ) from None
        except ClientDisconnect:
            raise Refused(400, "body", "an upload that broke off", "all of it", "send it again") from None
        held.append(piece)
        size += len(piece)
        if size >= 2**18:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


class _Parts:
    """Takes the parts of a body one by one."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.received, self.limits = Received(folder), limits
        self.file: BinaryIO | None = None
        self.name, self.header, self.value = "", b"", b""
        self.headers: dict[str, bytes] = {}
        self.text: bytearray | None = None
        self.ended = False

    # --- one file as the whole body ---

    def whole(self) -> None:
        self._open("files")

    def write(self, data: bytes) -> None:
        self._data(data, 0, len(data))

    def finalize(self) -> None:
        self._end()
        self.ended = True

    # --- what the multipart parser calls ---

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        self.headers, self.header, self.value = {}, b"", b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]
        if len(self.value) > MOST_FIELD:
            raise Refused(400, "body", "a part with a very long header", "a plain upload")

    def _header_end(self) -> None:
        self.headers[self.header.decode("latin-1").lower()] = self.value
        self.header, self.value = b"", b""

    def _headers_finished(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self.headers.get("content-disposition", b""))
        name = options.get(b"name", b"").decode("latin-1")[:40]
        if b"filename" in options or name in ("files", "file", "labels"):
            self._open("labels" if name == "labels" else "files")
        else:
            self.name, self.text = name, bytearray()
            if len(self.received.fields) >= MOST_FIELDS:
                raise Refused(400, "body", f"more than {MOST_FIELDS} fields", "the fields that the OpenAPI names")

    def _open(self, name: str) -> None:
        got = self.received
        if got.count >= self.limits.upload_files:
            raise too_much(f"more than {self.limits.upload_files:,} files", self.limits)
        below = got.folder / ("labels" if name == "labels" else "upload")
        below.mkdir(mode=0o700, exist_ok=True)
        self.name, path = name, below / f"{got.count + 1:06d}"
        got.files.setdefault(name, []).append(path)
        self.file = path.open("xb", buffering=2**18)

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self.text is not None:
            self.text += piece
            if len(self.text) > MOST_FIELD:
                raise Refused(413, self.name, f"more than {MOST_FIELD} bytes", "a short value")
            return
        self.received.bytes += len(piece)
        if self.received.bytes > self.limits.upload_bytes:
            raise too_much(f"more than {self.limits.upload_bytes:,} bytes", self.limits)
        if self.file is not None:
            self.file.write(piece)
            self.received.digest.update(piece)

    def _end(self) -> None:
        if self.text is not None:
            self.received.fields[self.name] = self.text.decode("utf-8", "replace")
            self.text = None
        elif self.file is not None:
            self.file.close()
            self.file = None
            self.received.digest.update(b"|end of a file|")
            self._call_by_form()

    def _call_by_form(self) -> None:
        """Name a file by what it is, since readers go by the ending."""
        path = self.received.files[self.name][-1]
        named = path.with_suffix(ending(path))
        path.rename(named)
        self.received.files[self.name][-1] = named

    def _all(self) -> None:
        self.ended = True

    def finish(self) -> None:
        """Raises Refused where the body ended too early or held nothing."""
        if not self.ended:
            raise Refused(400, "body", "a multipart body that ends early", "all of it", "send it again")
        if not self.received.files.get("files") or not self.received.bytes:
            raise Refused(422, "files", "no file", "the DICOM files of a CT, a zip of them, or a NIfTI file")

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def _parser(kind: str, into: _Parts) -> Any:
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import MultipartParser, parse_options_header

    _, options = parse_options_header(kind)
    boundary = options.get(b"boundary", b"")
    if not boundary or len(boundary) > 200:
        raise Refused(400, "Content-Type", "no boundary", "multipart/form-data; boundary=...")
    parser = MultipartParser(boundary, into.callbacks())  # type: ignore[arg-type]

    class Feed:
        def write(self, data: bytes) -> None:
            try:
                parser.write(data)
            except MultipartParseError:
                raise Refused(400, "body", "a multipart body that cannot be read", "RFC 7578", "send it again") from None

        def finalize(self) -> None:
            parser.finalize()

    return Feed()


def ending(path: Path) -> str:
    """The file ending that fits the first bytes of a file."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"PK\x03\x04"):
        return ".zip"
    if head[128:132] == b"DICM":
        return ".dcm"
    if _nifti(head):
        return ".nii"
    return ".nii.gz" if head.startswith(b"\x1f\x8b") and _nifti(_inside(path)) else ".bin"


def _inside(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return b""


def _nifti(head: bytes) -> bool:
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def too_much(found: str, limits: Limits) -> Refused:
    """The refusal of an upload beyond the limits."""
    expected = f"at most {limits.upload_bytes // 2**20:,} MiB in at most {limits.upload_files:,} files"
    return Refused(413, "body", found, expected, "send one series at a time")
