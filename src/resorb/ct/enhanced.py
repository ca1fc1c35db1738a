"""One enhanced (multi-frame) CT file: its frames become slices, each with its own place and rescale (PS3.3 C.7.6.16)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.grid import MOST_PIXELS, MOST_SLICES, Grid, regular_grid
from resorb.ct.header import Header
from resorb.ct.pixels import decode, new_volume, to_hu
from resorb.ct.refused import refuse


@dataclass(frozen=True)
class Frame:
    """One frame of a multi-frame file, placed like a slice."""

    name: str
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel: tuple[float, ...]
    shape: tuple[int, int]
    rescale: tuple[float, float]

    def numbers(self, key: str) -> tuple[float, ...]:
        """PixelSpacing of the frame; nothing else is asked of a frame."""
        return self.pixel if key == "PixelSpacing" else ()


def read_enhanced(header: Header) -> tuple[NDArray[Any], Grid, dict[str, str]]:
    """HU in order [slice, row, column], the grid, and what the shared groups say of kernel, voltage and contrast."""
    import pydicom

    count = header.whole("NumberOfFrames", 1)
    if not 1 <= count <= MOST_SLICES or max(header.shape) > MOST_PIXELS:
        raise refuse(header.name, f"{count} frames of {header.shape}", f"1 to {MOST_SLICES} frames of at most {MOST_PIXELS} pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import io

            data = pydicom.dcmread(io.BytesIO(header.entry.fetch()), force=True)
            frames = [_frame(data, header, i) for i in range(count)]
            said = _shared_text(data)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, EOFError, NotImplementedError) as error:
        raise refuse(header.name, f"frames without place or rescale ({type(error).__name__})", "functional groups with both") from None
    grid = regular_grid(frames)
    stored = decode(lambda: data, header.name)
    stored = stored[np.newaxis] if stored.ndim == 2 else stored
    if stored.shape != (count, *header.shape):
        raise refuse(header.name, f"pixel data of shape {stored.shape}", f"{(count, *header.shape)}")
    volume = new_volume((count, *header.shape), [frames[i].rescale for i in grid.order])
    for at, i in enumerate(grid.order):
        to_hu(stored[i], volume[at], frames[i].rescale)
    return volume, grid, said


def _frame(data: Any, header: Header, i: int) -> Frame:
    """Place and rescale of frame i: its own group where it has one, the shared group otherwise."""

    def group(name: str) -> Any:
        own = data.PerFrameFunctionalGroupsSequence[i]
        return getattr(own if name in own else data.SharedFunctionalGroupsSequence[0], name)[0]

    rescale = group("PixelValueTransformationSequence")
    return Frame(
        f"{header.name} frame {i + 1}",
        tuple(map(float, group("PlanePositionSequence").ImagePositionPatient)),
        tuple(map(float, group("PlaneOrientationSequence").ImageOrientationPatient)),
        tuple(map(float, group("PixelMeasuresSequence").PixelSpacing)),
        header.shape,
        (float(rescale.RescaleSlope), float(rescale.RescaleIntercept)),
    )


def _shared_text(data: Any) -> dict[str, str]:
    """Kernel, voltage and thickness, which enhanced files keep in groups."""
    found: dict[str, str] = {}
    places = [data.get("SharedFunctionalGroupsSequence"), data.get("PerFrameFunctionalGroupsSequence")]
    wanted = {
        "CTReconstructionSequence": ("ConvolutionKernel",),
        "CTXRayDetailsSequence": ("KVP",),
        "PixelMeasuresSequence": ("SliceThickness",),
    }
    for group in [place[0] for place in places if place]:
        for sequence, names in wanted.items():
            for name in names:
                if sequence in group and name in group[sequence][0] and name not in found:
                    value = group[sequence][0][name].value
                    found[name] = str(value[0] if hasattr(value, "__iter__") and not isinstance(value, str) else value)
    if data.get("ContrastBolusAgentSequence"):
        found["ContrastBolusAgent"] = "coded agent"
    return found
