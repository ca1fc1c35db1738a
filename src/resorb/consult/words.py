"""Cards' tests and ids as words a reader understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..evidence.cards import Test
from ..evidence.library import Library
from .conditions import subject

if TYPE_CHECKING:
    from .facts import Facts


def as_sources(source: str | tuple[str, ...]) -> tuple[str, ...]:
    """One or several source ids, always as a tuple."""
    return (source,) if isinstance(source, str) else source


def phrase(test: Test, library: Library, facts: Facts | None = None) -> str:
    """A test in words: `phosphate high (2.3 mmol/L)`, `site: tendon or bursa`. With facts, only what holds in them is named."""
    if test.all is not None:
        return " and ".join(phrase(t, library, facts) for t in test.all)
    if test.any is not None:
        holding = [t for t in test.any if facts is not None and facts.holds(t)]
        return " or ".join(phrase(t, library, facts) for t in holding or test.any)
    if test.not_ is not None:
        return "not: " + phrase(test.not_, library)
    quantity = test.lab or test.measure
    if quantity is not None:
        return _quantity(test, quantity, library, facts.written if facts else {})
    group, words = subject(test)
    named = [w for w in words if facts is not None and w in facts.present] or list(words)
    names = " or ".join(library.words[w].name for w in named[:4]) + (" or others" if len(named) > 4 else "")
    return f"{group}: {names}"


def _quantity(test: Test, quantity: str, library: Library, written: Mapping[str, str]) -> str:
    card = library.quantities[quantity]
    parts = [" or ".join((test.is_,) if isinstance(test.is_, str) else test.is_).replace("_", " ")] if test.is_ else []
    for name, limit in (("over", test.over), ("under", test.under), ("at least", test.at_least), ("at most", test.at_most)):
        if limit is not None:
            parts.append(f"{name} {limit}")
    value = f" ({written[quantity]})" if quantity in written and written[quantity] != parts[0] else ""
    return f"{card.name} {' and '.join(parts)}{value}"


def name_of(word: str, library: Library) -> str:
    """The name of any word, option, quantity, kind or cause; the id where no card has it."""
    for deck in (library.words, library.options, library.quantities, library.kinds, library.causes):
        if word in deck:
            return str(deck[word].name)
    return word.replace("_", " ")
