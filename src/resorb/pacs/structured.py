"""The numbers as a Comprehensive 3D SR: a measurement report (TID 1500) with one group for each deposit (TID 1411)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resorb._version import __version__
from resorb.pacs import codes
from resorb.pacs.identity import NOT_A_DEVICE, Identity
from resorb.pacs.quantities import changed, measured_items, refused, verdict
from resorb.pacs.sources import MAKER
from resorb.pacs.tracking import Track, uid_of

if TYPE_CHECKING:
    from resorb.pacs.derived import Measured
    from resorb.terms.change import Change, DepositChange
    from resorb.terms.measurement import DepositMeasure

    Since = tuple[Measured, tuple[Any, ...], Change]

LONGEST_COMMENT = 1024


def report(measured: Measured, identity: Identity, seg: Any | None, since: Since | None) -> Any:
    """A preliminary, unverified report by a device. `since` : the baseline, its objects and the change; then TID 1502 holds both."""
    from highdicom.sr import MeasurementReport

    whole = measured.names.whole
    groups = [*_groups(measured, seg, _time_point(measured, 2, "follow-up") if since else None, since[2] if since else None)]
    groups.append(_total(measured, whole, _time_point(measured, 2, "follow-up") if since else None, since[2] if since else None))
    evidence = [*measured.sources.headers, *([seg] if seg is not None else [])]
    if since:
        baseline, objects, change = since
        first = next((o for o in objects if o.Modality == "SEG"), None)
        at_first = _time_point(baseline, 1, "baseline")
        before = [*_groups(baseline, first, at_first, None), _total(baseline, whole, at_first, None)]
        groups = [*before, *groups, *_not_found(measured, baseline, change)]
        evidence += [*baseline.sources.headers, *([first] if first is not None else [])]
    content = MeasurementReport(
        observation_context=_observer(), procedure_reported=codes.CT_PROCEDURE.code, imaging_measurements=groups, title=codes.TITLE.code
    )
    _comment(content, _remarks(measured, since[2] if since else None))
    return _document(content[0], _distinct(evidence), identity)


def _document(root: Any, evidence: list[Any], identity: Identity) -> Any:
    """The report around its content. The library copies and walks what it is given, for minutes where there are hundreds of deposits:
    it is given the root alone, and the content, which it has made itself, is put in its place.
    """
    from highdicom.sr import Comprehensive3DSR, ContentSequence

    whole = root.ContentSequence
    root.ContentSequence = ContentSequence()
    made = Comprehensive3DSR(
        evidence=evidence, content=root, is_complete=True, is_final=False, is_verified=False,
        coding_schemes=[_scheme()], **identity.arguments("report"),
    )  # fmt: skip
    root.ContentSequence = made.ContentSequence = whole
    made.SeriesDescription = identity.arguments("report")["series_description"]
    return made


def _distinct(evidence: list[Any]) -> list[Any]:
    return list({str(e.SOPInstanceUID): e for e in evidence}.values())


def _scheme() -> Any:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(codes.SCHEME, name="resorb: codes of its conformance statement", version=__version__)


def _observer() -> Any:
    """The observer is a device: software, with its version. No person has looked."""
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext
    from pydicom.sr.codedict import codes as standard

    device = DeviceObserverIdentifyingAttributes(
        uid_of("device", MAKER, __version__), f"{MAKER} {__version__}", manufacturer_name=MAKER, model_name=MAKER, serial_number="0"
    )
    context = ObserverContext(observer_type=standard.DCM.Device, observer_identifying_attributes=device)
    return ObservationContext(observer_device_context=context)


def _time_point(measured: Measured, order: int, name: str) -> Any:
    from highdicom.sr import TimePointContext

    day = measured.scan.acquisition.acquired or "unknown day"
    return TimePointContext(time_point=name, time_point_order=order, subject_time_point_identifier=f"{name} {day}")


def _groups(measured: Measured, seg: Any | None, time_point: Any, change: Change | None) -> Any:
    """One TID 1411 group for each deposit."""
    for i, deposit in enumerate(measured.measurement.deposits):
        pair = next((c for c in change.deposits if deposit.id in (c.followup or ())), None) if change else None
        yield _deposit(measured, i, seg, time_point, pair)


def _deposit(measured: Measured, i: int, seg: Any, time_point: Any, pair: DepositChange | None) -> Any:
    from highdicom.sr import QualitativeEvaluation, ReferencedSegment, VolumetricROIMeasurementsAndQualitativeEvaluations

    deposit: DepositMeasure = measured.measurement.deposits[i]
    evaluations = [QualitativeEvaluation(codes.CERTAINTY.code, codes.SURE[deposit.sure].code)]
    measurements = measured_items(deposit)
    if pair is not None:
        evaluations.append(verdict(pair.verdict))
        measurements += changed(pair)
    group = VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(measured.tracks[i]),
        referenced_segment=ReferencedSegment(
            sop_class_uid=seg.SOPClassUID, sop_instance_uid=seg.SOPInstanceUID, segment_number=i + 1, source_images=_images(measured, i)
        ),
        time_point_context=time_point,
        finding_type=codes.CALCIFICATION.code,
        algorithm_id=_algorithm(),
    )
    return _filled(group, measurements, evaluations)


def _filled(group: Any, measurements: list[Any], evaluations: list[Any]) -> Any:
    """A group with its numbers and evaluations, behind what it refers to."""
    group[0].ContentSequence.extend([*measurements, *(evaluation[0] for evaluation in evaluations)])
    return group


def _total(measured: Measured, whole: Track, time_point: Any, change: Change | None) -> Any:
    """One TID 1501 group with the sums."""
    from highdicom.sr import MeasurementsAndQualitativeEvaluations

    total = measured.measurement.total
    items = [*measured_items(total), *(changed(change.total) if change else [])]
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(whole),
        time_point_context=time_point,
        finding_type=codes.CALCIFICATION.code,
        algorithm_id=_algorithm(),
    )
    return _filled(group, items, [verdict(change.total.verdict)] if change else [])


def _not_found(measured: Measured, baseline: Measured, change: Change) -> Any:
    """A group for each deposit of the baseline that the follow-up does not show: gone, not covered, or it cannot be told."""
    from highdicom.sr import MeasurementsAndQualitativeEvaluations

    for pair in change.deposits:
        for number in pair.baseline or () if not pair.followup else ():
            group = MeasurementsAndQualitativeEvaluations(
                tracking_identifier=_tracking(baseline.tracks[number - 1]),
                time_point_context=_time_point(measured, 2, "follow-up"),
                finding_type=codes.CALCIFICATION.code,
                algorithm_id=_algorithm(),
            )
            yield _filled(group, changed(pair), [verdict(pair.verdict)])


def _tracking(track: Track) -> Any:
    from highdicom.sr import TrackingIdentifier

    return TrackingIdentifier(uid=track.uid, identifier=track.name)


def _algorithm() -> Any:
    from highdicom.sr import AlgorithmIdentification

    return AlgorithmIdentification(name=MAKER, version=__version__, parameters=[NOT_A_DEVICE])


def _images(measured: Measured, i: int) -> list[Any]:
    """The source images that one deposit lies on."""
    from highdicom.sr import SourceImageForSegmentation

    scan, sources = measured.scan, measured.sources
    per_slice = scan.hu.shape[1] * scan.hu.shape[2]
    slices = sorted({int(k) for k in measured.findings.candidates[i].flat // per_slice})
    if sources.frames:
        frames = [sources.frames[k] + 1 for k in slices]
        return [SourceImageForSegmentation(sources.first.SOPClassUID, sources.first.SOPInstanceUID, frames)]
    return [SourceImageForSegmentation(sources.headers[k].SOPClassUID, sources.headers[k].SOPInstanceUID) for k in slices]


def _remarks(measured: Measured, change: Change | None) -> list[str]:
    """What a reader of the numbers must know: purpose, conventions, warnings, refusals, and why each verdict was given."""
    m = measured.measurement
    said = [
        NOT_A_DEVICE,
        f"Agatston convention {m.convention.name} ({m.convention.source}); calibration {m.calibration.source}; contrast: {m.scan.contrast}",
        *m.warnings,
        *(f"{r.about} is not given: {r.reason}" for r in m.refusals),
        *(f"not counted: {e.regions} x {e.taken_for} ({e.why})" for e in m.excluded),
    ]
    for d, track in zip(m.deposits, measured.tracks, strict=True):
        site = f"{d.site}: " if d.site else ""
        said.append(f"{track.name} (deposit {d.id}): {site}{d.because}{''.join(f'; {n}' for n in d.notes)}")
        said += [f"{track.name}: no {', '.join(names)}: {reason}" for reason, names in refused(d).items()]
    if change is not None:
        said += [f"{c.verdict} ({from_to(c)}): {c.why}" for c in change.deposits]
        said += [f"all deposits: {change.total.verdict}: {change.total.why}", *change.warnings]
    return [text[:LONGEST_COMMENT] for text in said]


def from_to(pair: DepositChange) -> str:
    """The ids before and after, for people."""
    return " to ".join(", ".join(map(str, ids or ("none",))) for ids in (pair.baseline, pair.followup))


def _comment(content: Any, remarks: list[str]) -> None:
    """Remarks as the report's qualitative evaluations (TID 1500, rows 12 and 14)."""
    from highdicom.sr import ContainerContentItem, ContentSequence, RelationshipTypeValues, TextContentItem

    contains = RelationshipTypeValues.CONTAINS
    container = ContainerContentItem(name=codes.EVALUATIONS.code, relationship_type=contains)
    container.ContentSequence = ContentSequence([TextContentItem(codes.COMMENT.code, text, contains) for text in remarks if text])
    content[0].ContentSequence.append(container)
