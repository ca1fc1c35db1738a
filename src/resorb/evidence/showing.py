"""Sources as they are shown: what was read, by whom, when, and where to open it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ..terms.assessment import SourceShown
from .library import Library

_LINKS = (
    ("doi", "https://doi.org/"),
    ("pmid", "https://pubmed.ncbi.nlm.nih.gov/"),
    ("pmcid", "https://www.ncbi.nlm.nih.gov/pmc/articles/"),
)

_WORD = r"[^\W\d_a-z][\w'’\-]*"
_NAME = rf"(?:(?:de|da|di|del|den|der|van|von|le|la|el|al) )*{_WORD}(?: {_WORD[:-1]}*[a-zà-ÿ][\w'’\-]*)?"
_AUTHOR = re.compile(rf"({_NAME})(?:,? (?:[A-Z]\.?){{1,3}}(?=[,.;:]|$| et al| and )|,? et al\b|(?:, {_NAME})+(?:, et al)?\.)")
_TRAILING = re.compile(r"(?: (?:[a-zà-ÿ]{1,5}|between|against|without))+$")
_LONGEST = 36


def short_name(citation: str, year: int) -> str:
    """What a study is called in a line: its first author and the year, or the head of its title where the citation names no author.

    >>> short_name("de Witte PB, et al. Radiological and clinical predictors", 2016)
    'de Witte 2016'
    >>> short_name("Thymoma calcification: is it clinically meaningful?", 2011)
    'Thymoma calcification 2011'
    >>> short_name("Risk factors associated with calcinosis of juvenile dermatomyositis", 2008)
    '“Risk factors associated …” 2008'
    """
    if written := _AUTHOR.match(citation):
        return f"{written[1]} {year}"
    title = re.split(r"[.:;?(]| - ", citation, maxsplit=1)[0].strip()
    if len(title) <= _LONGEST:
        return f"{title} {year}"
    cut = title[: _LONGEST + 1].rpartition(" ")[0].rstrip(",-")
    return f"“{_TRAILING.sub('', cut)} …” {year}"


def shown(names: Iterable[str], library: Library) -> tuple[SourceShown, ...]:
    """Every source named, each once, in that order; opinion without a study has none."""
    return tuple(_shown(name, library) for name in dict.fromkeys(names) if name in library.sources)


@lru_cache(maxsize=4096)
def _shown(name: str, library: Library) -> SourceShown:
    source = library.sources[name]
    link = next((stem + str(getattr(source, field)) for field, stem in _LINKS if getattr(source, field)), source.url)
    return SourceShown(source.id, source.citation, source.year, source.read.form, source.read.by, source.read.date, link)
