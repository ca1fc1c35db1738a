"""Sources as they are shown: what was read, by whom, when, and where to open it."""

from __future__ import annotations

from collections.abc import Iterable

from ..evidence.cards import Source
from ..evidence.library import Library
from ..terms.assessment import Sentence, SourceShown

_LINKS = (
    ("doi", "https://doi.org/"),
    ("pmid", "https://pubmed.ncbi.nlm.nih.gov/"),
    ("pmcid", "https://www.ncbi.nlm.nih.gov/pmc/articles/"),
)


def sources_of(sentences: Iterable[Sentence], library: Library) -> tuple[SourceShown, ...]:
    """Every source the sentences rest on, in the order they are used; opinion without a study has none."""
    used = dict.fromkeys(name for sentence in sentences for name in sentence.source)
    return tuple(shown(library.sources[name]) for name in used if name in library.sources)


def shown(source: Source) -> SourceShown:
    """One source, with a link that opens it."""
    read = source.read
    return SourceShown(source.id, source.citation, source.year, read.form, read.by, read.date, _link(source))


def _link(source: Source) -> str:
    for name, stem in _LINKS:
        if getattr(source, name):
            return stem + str(getattr(source, name))
    return source.url
