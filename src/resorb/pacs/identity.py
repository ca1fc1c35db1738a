"""Who made an object and when it says so: equipment, version, research use, UIDs and dates that follow from the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from resorb._version import __version__
from resorb.pacs.sources import MAKER, Sources
from resorb.pacs.tracking import uid_of

PURPOSE = "RESEARCH USE"
NOT_A_DEVICE = "For research and education. Not a medical device; not for the care of individual patients."
FIRST_SERIES_NUMBER = 9100
DIMENSIONS, CONTRIBUTED, CONTENT = 0x00209164, 0x0018A002, 0x0040A730


@dataclass(frozen=True)
class Identity:
    """The names of the objects of one result. `seed` : a hash over everything they say."""

    sources: Sources
    seed: str

    @classmethod
    def of(cls, sources: Sources, seed: str) -> Identity:
        """Also of the writing library's version, since other bytes need another UID."""
        import highdicom

        return cls(sources, f"{seed} {__version__} {highdicom.__version__}")

    def arguments(self, kind: str, number: int = 1) -> dict[str, Any]:
        """What every writer asks for: UIDs, numbers, maker, and dates taken from the source."""
        offset = ("seg", "report", "picture").index(kind)
        return {
            "series_instance_uid": uid_of("series", kind, self.seed),
            "series_number": FIRST_SERIES_NUMBER + offset,
            "sop_instance_uid": uid_of("instance", kind, number, self.seed),
            "instance_number": number,
            "manufacturer": MAKER,
            "manufacturer_model_name": MAKER,
            "software_versions": __version__,
            "device_serial_number": "0",
            "series_description": f"{MAKER} {__version__} {kind}: {PURPOSE}",
            "content_date": self.date,
            "content_time": self.time,
        }

    @property
    def date(self) -> str:
        """The day of the source (YYYYMMDD): results say nothing of the day they were made, so that they can be made again alike."""
        first = self.sources.first
        said = [str(first.get(name) or "") for name in ("ContentDate", "AcquisitionDate", "SeriesDate", "StudyDate")]
        return next((day for day in said if day), "19700101")

    @property
    def time(self) -> str:
        """Midnight: with the source's day alone it would claim a precision nobody has."""
        return "000000"

    def sign(self, instance: Any) -> None:
        """Take the clock and chance out of an object: its dates are the source's, its dimensions' UID follows from the content."""
        instance.InstanceCreationDate, instance.InstanceCreationTime = self.date, self.time
        instance.SeriesDate, instance.SeriesTime = self.date, self.time
        if "DateOfSecondaryCapture" in instance:
            instance.DateOfSecondaryCapture, instance.TimeOfSecondaryCapture = self.date, self.time
        said = {DIMENSIONS: uid_of("dimensions", self.seed), CONTRIBUTED: f"{self.date}{self.time}"}
        for element in _outside_content(instance):
            if element.tag in said:
                element.value = said[element.tag]


def _outside_content(instance: Any) -> Iterator[Any]:
    """Every element, nested ones too, but those of a report's content: we wrote them, and they are many."""
    for element in instance:
        if element.tag != CONTENT:
            yield element
            if element.VR == "SQ":
                for item in element.value:
                    yield from _outside_content(item)
