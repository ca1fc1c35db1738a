"""The page's templates: escaped, translated, with the filters that write words and numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from markupsafe import Markup

from ...terms.time import months_in_words
from .language import LANGUAGES, language


@lru_cache(maxsize=len(LANGUAGES))
def environment(code: str) -> Any:
    """The Jinja environment of one language."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    spoken = language(code)
    made = Environment(
        loader=PackageLoader("resorb.web.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    made.install_gettext_translations(spoken.translations(), newstyle=False)  # type: ignore[attr-defined]
    made.globals.update(lang=code, languages=LANGUAGES, script_words=spoken.script)
    made.filters["name"] = lambda text: _name(str(text), code)
    made.filters["card"] = lambda text: _card(str(text), code)
    made.filters["word"] = lambda text: _word(str(text).replace("_", " "), code)
    made.filters["said"] = lambda text: spoken.gettext(str(text).replace("_", " "))  # for attributes, which hold no mark
    made.filters["first_up"] = _first_up
    made.filters["time"] = lambda months: time_in_words(months, code)
    made.filters["whole"] = lambda value: f"{value:.0f}"
    made.filters["signed"] = lambda value: f"{value:+.0f}".replace("-", "−")
    return made


def render(template: str, code: str, **values: Any) -> str:
    """One template in one language."""
    return str(environment(code).get_template(template).render(**values))


def _first_up(text: Any) -> Any:
    if isinstance(text, Markup):
        return text if text.startswith("<") else Markup(str(text)[:1].upper() + str(text)[1:])  # noqa: S704  (was escaped already)
    return str(text)[:1].upper() + str(text)[1:]


def _word(text: str, code: str) -> str:
    """A word of an answer in this language; marked as English where the catalogue lacks it."""
    spoken = language(code)
    return spoken.gettext(text) if code == "en" or text in spoken.words else Markup('<span lang="en">{}</span>').format(text)


def _name(text: str, code: str) -> str:
    """The name on a card in this language."""
    return language(code).name(text)


def _card(text: str, code: str) -> Markup:
    """A card's sentence: as it is, and marked as English where the page speaks another language."""
    spoken = language(code)
    if spoken.knows(text):
        return Markup("{}").format(spoken.name(text))
    return Markup('<span lang="en">{}</span>').format(text)


_TIMES = {"day", "days", "week", "weeks", "month", "months", "year", "years"}


def time_in_words(months: float, code: str) -> str:
    """A time as a reader would say it, in this language."""
    spoken = language(code)
    return " ".join(spoken.gettext(part) if part in _TIMES else part for part in months_in_words(months).split())
