"""Sources as they are shown: what was read, by whom, when, and where to open it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ..terms.assessment import SourceShown
from .library import Library

_LINKS = (
    ("doi", "https://doi.org/"),
    ("pmid", "https://pubmed.ncbi.nlm.nih.gov/"),
    ("pmcid", "https://www.ncbi.nlm.nih.gov/pmc/articles/"),
)


def shown(names: Iterable[str], library: Library) -> tuple[SourceShown, ...]:
    """Every source named, each once, in that order; opinion without a study has none."""
    return tuple(_shown(name, library) for name in dict.fromkeys(names) if name in library.sources)


@lru_cache(maxsize=4096)
def _shown(name: str, library: Library) -> SourceShown:
    source = library.sources[name]
    link = next((stem + str(getattr(source, field)) for field, stem in _LINKS if getattr(source, field)), source.url)
    return SourceShown(source.id, source.citation, source.year, source.read.form, source.read.by, source.read.date, link)
