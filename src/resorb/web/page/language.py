"""The languages of the page. Two catalogues each: `interface` for the page's own words, `cards` for names on evidence cards.

What a catalogue lacks stays English and is marked as English, so that a screen reader says it right and a reader sees it.
"""

from __future__ import annotations

import gettext as _gettext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

LOCALE = Path(__file__).with_name("locale")
_SCRIPTS = (".js", "vocabulary.py")
LANGUAGES = {"en": "English", "de": "Deutsch"}


@dataclass(frozen=True)
class Language:
    """One language: `words` translates the interface, `names` the names on cards, `script` the words the scripts use."""

    code: str
    words: dict[str, str]
    names: dict[str, str]
    script: dict[str, str]

    def gettext(self, text: str) -> str:
        """The interface's word for an English one; plural forms are not needed."""
        return self.words.get(text, text)

    def name(self, text: str) -> str:
        """A card's name in this language, else in English."""
        return self.names.get(text, text)

    def knows(self, text: str) -> bool:
        """Whether a card's name is known in this language."""
        return self.code == "en" or text in self.names

    def translations(self) -> Any:
        """For Jinja's i18n extension."""
        return _Catalogue(self)


class _Catalogue(_gettext.NullTranslations):
    def __init__(self, spoken: Language) -> None:
        super().__init__()
        self._spoken = spoken

    def gettext(self, message: str) -> str:
        return self._spoken.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._spoken.gettext(msgid1 if n == 1 else msgid2)


@lru_cache(maxsize=len(LANGUAGES))
def language(code: str) -> Language:
    """One of LANGUAGES; English where the code is not one of them."""
    if code not in LANGUAGES or code == "en":
        return Language("en", {}, {}, {})
    interface = _read(LOCALE / code / "interface.po")
    words = {str(m.id): str(m.string) for m in interface if m.id and m.string}
    script = {str(m.id): str(m.string) for m in interface if m.string and any(str(f).endswith(_SCRIPTS) for f, _ in m.locations)}
    names = {str(m.id): str(m.string) for m in _read(LOCALE / code / "cards.po") if m.id and m.string}
    return Language(code, words, names, script)


def _read(path: Path) -> Any:
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return read_po(file)


def preferred(asked: str | None, accepts: str) -> str:
    """The language asked for, else the first one of the browser's that the page speaks, else English."""
    wanted = [asked or "", *(part.split(";")[0].strip()[:2].lower() for part in accepts.split(","))]
    return next((code for code in wanted if code in LANGUAGES), "en")
