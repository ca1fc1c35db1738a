"""From stored pixels to HU, slice by slice, into one volume: never two copies of it."""

from __future__ import annotations

import io
import os
import warnings
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.encapsulated import RLE, decode_rle
from resorb.ct.header import Header
from resorb.ct.refused import ScanRefused, refuse

INT16 = np.iinfo(np.int16)
MOST_INFLATED = 1 << 28
# One decoder for each syntax, so that damaged data are not handed from one to the next: some end the whole process on them.
PLUGINS = {
    "1.2.840.10008.1.2.5": "pylibjpeg",
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg",
}
WORKERS = min(4, os.cpu_count() or 1)


def fill(headers: Sequence[Header]) -> NDArray[Any]:
    """HU of the slices in the order given, [slice, row, column]. Rescaled slice by slice.

    int16 where all slopes and intercepts are whole numbers (HU beyond int16 are clipped), otherwise float32.
    """
    rescales = [rescale_of(header) for header in headers]
    volume = new_volume((len(headers), *headers[0].shape), rescales)
    jobs = [(header, volume[i], rescales[i]) for i, header in enumerate(headers)]
    if all((header.is_plain and header.deflated_at is None) or header.syntax == RLE for header in headers):
        for job in jobs:  # too little work outside Python for threads to pay
            _fill_slice(*job)
        return volume
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(lambda job: _fill_slice(*job), jobs):
            pass
    return volume


def new_volume(shape: tuple[int, int, int], rescales: Sequence[tuple[float, float]]) -> NDArray[Any]:
    """An empty volume of the narrowest type that holds these rescales."""
    whole = all(slope.is_integer() and intercept.is_integer() for slope, intercept in rescales)
    try:
        return np.empty(shape, np.int16 if whole else np.float32)
    except (MemoryError, ValueError):
        raise refuse("the series", f"a volume of {shape}", "one that fits this computer's memory") from None


def rescale_of(header: Header) -> tuple[float, float]:
    """Rescale slope and intercept. Refuses a slice that has none, or absurd ones: without them values are no HU."""
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if slope is None or intercept is None or not 1e-4 <= abs(slope) <= 100 or abs(intercept) > 1e5:
        found = f"RescaleSlope {header.text.get('RescaleSlope', 'none')}, RescaleIntercept {header.text.get('RescaleIntercept', 'none')}"
        raise refuse(header.name, found, "both, so that values are HU")
    return slope, intercept


def _fill_slice(header: Header, into: NDArray[Any], rescale: tuple[float, float]) -> None:
    if header.is_plain and header.deflated_at is None and into.dtype == np.int16:
        _read_words(header, into)
        stored: NDArray[Any] = into if header.whole("PixelRepresentation") else into.view(np.uint16)
        stored = _sign(stored, header)
    else:
        stored = _stored(header)
    to_hu(stored, into, rescale)


def _read_words(header: Header, into: NDArray[Any]) -> None:
    """Little-endian words straight from the file into the volume."""
    assert header.pixels_at is not None
    if header.entry.path is None:
        raw = header.entry.fetch()
        into[...] = np.frombuffer(raw, "<i2", into.size, header.pixels_at).reshape(into.shape)
        return
    with header.entry.path.open("rb", buffering=0) as file:
        file.seek(header.pixels_at)
        if file.readinto(into.reshape(-1).view(np.uint8).data) != into.nbytes:
            raise refuse(header.name, "a file that ends within its pixel data", "a whole file", "copy it again")
    if np.little_endian is False:
        into.byteswap(inplace=True)


def _stored(header: Header) -> NDArray[Any]:
    """Stored values of one slice, whatever its transfer syntax."""
    if header.is_plain:
        raw = header.entry.fetch()
        if header.deflated_at is not None:
            raw = _inflated(raw[header.deflated_at :], header.name)
        kind = "<i2" if header.whole("PixelRepresentation") else "<u2"
        count = int(np.prod(header.shape))
        if header.pixels_at is None or len(raw) < header.pixels_at + 2 * count:
            raise refuse(header.name, "a file that ends within its pixel data", "a whole file", "copy it again")
        return _sign(np.frombuffer(raw, kind, count, header.pixels_at).reshape(header.shape).copy(), header)
    fast = decode_rle(header)
    stored = decode(lambda: _data_set(header), header.name) if fast is None else fast
    if stored.shape != header.shape:
        raise refuse(header.name, f"pixel data of shape {stored.shape}", f"{header.shape} as the header says")
    return stored


def _inflated(packed: bytes, name: str) -> bytes:
    try:
        return zlib.decompressobj(-15).decompress(packed, MOST_INFLATED)
    except zlib.error as error:
        raise refuse(name, f"a deflated file that cannot be inflated ({error})", "a whole file", "copy it again") from None


def _data_set(header: Header) -> Any:
    import pydicom

    return pydicom.dcmread(io.BytesIO(header.entry.fetch()), force=True)


def decode(open_data_set: Callable[[], Any], name: str) -> NDArray[Any]:
    """Pixel data by pydicom and its installed decoders; one clear refusal for whatever goes wrong there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = open_data_set()
            if (plugin := PLUGINS.get(str(data.file_meta.TransferSyntaxUID))) is not None:
                data.pixel_array_options(decoding_plugin=plugin)
            return np.asarray(data.pixel_array)
    except (ScanRefused, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  decoders raise many kinds for damaged pixel data, and those in Rust panic
        said = str(error).strip().splitlines()
        raise refuse(
            name,
            f"pixel data that cannot be decoded ({type(error).__name__}: {said[0][:200] if said else ''})",
            "whole pixel data",
            "copy the file again",
        ) from None


def _sign(stored: NDArray[Any], header: Header) -> NDArray[Any]:
    """Drop what overlays left in the bits above BitsStored, and extend the sign."""
    bits = header.whole("BitsStored", 16)
    if not 0 < bits < 16 or header.whole("HighBit", bits - 1) != bits - 1:
        return stored
    stored <<= 16 - bits
    stored >>= 16 - bits
    return stored


def to_hu(stored: NDArray[Any], into: NDArray[Any], rescale: tuple[float, float]) -> None:
    """Stored x slope + intercept, written into `into`; whole numbers stay exact and are clipped to int16."""
    slope, intercept = rescale
    if into.dtype != np.int16:
        np.multiply(stored, np.float32(slope), out=into, casting="unsafe")
        into += np.float32(intercept)
        return
    if slope == 1 and stored.dtype == np.int16 and -16384 <= intercept <= 0 and stored.min() >= INT16.min - intercept:
        np.add(stored, np.int16(intercept), out=into)
    elif slope == 1 and stored.dtype == np.uint16 and -16384 <= intercept <= 0 and stored.max() <= INT16.max:
        np.add(stored.view(np.int16), np.int16(intercept), out=into)
    else:
        wide = stored.astype(np.float64) * slope + intercept
        into[...] = np.clip(wide, INT16.min, INT16.max).astype(np.int16)
