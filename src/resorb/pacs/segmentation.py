"""The deposits as a DICOM SEG: BINARY, one segment for each, voxel for voxel what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resorb._version import __version__
from resorb.pacs import codes
from resorb.pacs.identity import PURPOSE, Identity
from resorb.pacs.sources import MAKER

if TYPE_CHECKING:
    from resorb.pacs.derived import Measured

LONGEST_LABEL = 64


def segmentation(measured: Measured, identity: Identity) -> Any:
    """One SEG on the source's own frames. Segment n is deposit n; its tracking UID is the same in every study."""
    from highdicom.seg import Segmentation

    arguments = identity.arguments("seg")
    return Segmentation(
        source_images=list(measured.sources.headers),
        pixel_array=label_map(measured),
        segmentation_type="BINARY",
        segment_descriptions=[_segment(measured, i) for i in range(len(measured.findings.candidates))],
        content_description=f"calcium deposits, {MAKER} {__version__}, {PURPOSE}",
        content_label="CALCIUM",
        omit_empty_frames=True,
        **arguments,
    )


def label_map(measured: Measured) -> NDArray[Any]:
    """0 nothing, n deposit n, on the source's frames in their order. [frame, row, column]"""
    candidates = measured.findings.candidates
    labels = np.zeros(measured.scan.hu.shape, np.uint8 if len(candidates) < 256 else np.uint16)
    for number, candidate in enumerate(candidates, start=1):
        labels.reshape(-1)[candidate.flat] = number
    if not measured.sources.frames:
        return labels
    in_frames = np.zeros((int(measured.sources.first.NumberOfFrames), *labels.shape[1:]), labels.dtype)
    in_frames[list(measured.sources.frames)] = labels
    return in_frames


def _segment(measured: Measured, i: int) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription

    deposit, track = measured.measurement.deposits[i], measured.tracks[i]
    return SegmentDescription(
        segment_number=i + 1,
        segment_label=f"{deposit.id} {deposit.site or 'calcium'}"[:LONGEST_LABEL],
        segmented_property_category=codes.ABNORMAL.code,
        segmented_property_type=codes.CALCIFICATION.code,
        algorithm_type="AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(MAKER, codes.FAMILY.code, __version__),
        tracking_uid=track.uid,
        tracking_id=track.name,
    )
