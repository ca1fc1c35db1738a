"""Numbers with units."""

import pytest

from resorb.evidence.quantities import QuantityError, parse


@pytest.mark.parametrize(
    ("quantity", "text", "value"),
    [
        ("calcium", "2.4 mmol/L", 2.4),
        ("calcium", "9.6 mg/dL", 2.395),
        ("phosphate", "3.4 mg/dL", 1.098),
        ("creatinine", "1 mg/dL", 88.4),
        ("creatinine", "88.4 µmol/L", 88.4),
        ("pth", "5 pmol/L", 47.2),
        ("age", "12 days", 0.03286),
        ("age", "6 weeks", 0.115),
        ("size", "1.2 cm", 12),
        ("duration", "2 years", 24),
        ("agatston", "320", 320),
    ],
)
def test_units_are_converted(shelf, quantity, text, value):
    assert parse(text, shelf.quantities[quantity])[0] == pytest.approx(value, rel=0.005)


@pytest.mark.parametrize(
    ("quantity", "text", "says"),
    [
        ("calcium", "95 mmol/L", "is the unit right"),
        ("calcium", "2.4", "without a unit"),
        ("calcium", "2.4 parsec", "found the unit"),
        ("calcium", "lots", "expected a number"),
        ("calcium", "2,4 mmol/L", "decimal with a point"),
        ("pth", "<5 pg/mL", "plain number"),
        ("age", "-3 years", "between 0 and 125"),
        ("calcium", "1e999 mmol/L", "is the unit right"),
        ("calcium", "nan mmol/L", "expected a number"),
    ],
)
def test_refused(shelf, quantity, text, says):
    with pytest.raises(QuantityError, match=says):
        parse(text, shelf.quantities[quantity])


def test_every_quantity_reads_its_own_usual_value(shelf):
    for card in shelf.decks.quantities:
        if card.usual is not None:
            assert parse(f"{card.usual} {card.unit}", card)[0] == pytest.approx(card.usual), card.id


def test_bands_and_levels_are_in_order(shelf):
    for card in shelf.decks.quantities:
        for band in card.bands:
            if band.low is not None and band.high is not None:
                assert card.impossible_under <= band.low < band.high <= card.impossible_over, card.id
