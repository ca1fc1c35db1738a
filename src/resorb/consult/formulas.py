"""Published formulas, one function each, named after its paper.

Comes in: plain numbers in the canonical units of the quantity cards, and the Formula card that holds the coefficients.
Goes out: a number in the unit of what the card makes. Refused (none): anything missing, or outside what the formula was made for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import cast

from ..evidence.cards import Formula

SEXES = ("female", "male")


def compute(card: Formula, facts: Mapping[str, float], words: Collection[str], absent: Collection[str] = ()) -> float | None:
    """Work out `card` by the function of its name; none when something is missing or the formula does not hold here.

    `facts` are values in canonical units, `words` what is present, `absent` what is known not to be.
    """
    values = {need: facts.get(need) for need in card.needs if need != "sex"}
    if any(value is None for value in values.values()) or not _holds(card, facts, words, absent):
        return None
    given: dict[str, object] = dict(values)
    if "sex" in card.needs:
        given["sex"] = next(s for s in SEXES if s in words)
    if card.knows:
        given["words"] = frozenset(words)
    function = cast("Callable[..., float]", globals()[card.id])
    return function(card, **given)


def _holds(card: Formula, facts: Mapping[str, float], words: Collection[str], absent: Collection[str]) -> bool:
    if "sex" in card.needs and not any(sex in words for sex in SEXES):
        return False
    if any(word in words for word in card.not_with):
        return False
    if any(word not in words and word not in absent for word in card.knows):
        return False
    return all(name in facts and low <= facts[name] <= high for name, (low, high) in card.valid.items())


def payne_1973(card: Formula, *, calcium: float, albumin: float) -> float:
    """Albumin-corrected calcium, mmol/L, from total calcium (mmol/L) and albumin (g/L). Payne RB et al, Br Med J 1973."""
    return calcium + _number(card, "per_g_l") * (_number(card, "albumin_g_l") - albumin)


def ca_x_p(card: Formula, *, calcium: float, phosphate: float) -> float:
    """Calcium-phosphate product, mmol2/L2, from total calcium and phosphate (mmol/L)."""
    return _number(card, "factor") * calcium * phosphate


def inker_2021(card: Formula, *, creatinine: float, age: float, sex: str) -> float:
    """Estimated GFR, mL/min/1.73 m2, from creatinine (umol/L), age (years) and sex. CKD-EPI, Inker LA et al, N Engl J Med 2021."""
    ratio = creatinine / _number(card, "umol_l_per_mg_dl") / _by(card, "kappa", sex)
    curve = float(min(ratio, 1.0) ** _by(card, "alpha", sex) * max(ratio, 1.0) ** _number(card, "upper_exponent"))
    yearly = float(_number(card, "per_year") ** age)
    return _number(card, "constant") * curve * yearly * _by(card, "sex", sex)


def calcium_creatinine_clearance_ratio(
    card: Formula, *, urine_calcium_conc: float, creatinine: float, calcium: float, urine_creatinine: float
) -> float:
    """Calcium over creatinine clearance, no unit; calcium (both) and urine creatinine in mmol/L, serum creatinine in umol/L."""
    return urine_calcium_conc * (creatinine / _number(card, "umol_per_mmol")) / (calcium * urine_creatinine)


def mcclelland_2015(  # noqa: PLR0913  (the paper's own inputs)
    card: Formula,
    *,
    age: float,
    cholesterol_total: float,
    cholesterol_hdl: float,
    systolic_bp: float,
    agatston: float,
    sex: str,
    words: Collection[str],
) -> float:
    """10-year risk of coronary heart disease, %, with coronary calcium (AU). MESA, McClelland RL et al, J Am Coll Cardiol 2015."""
    terms = _mesa(card, age=age, total=cholesterol_total, hdl=cholesterol_hdl, systolic=systolic_bp, words={sex, *words})
    return _risk(card, terms + _number(card, "ln_agatston_plus_1") * math.log1p(agatston))


def mcclelland_2015_without_cac(  # noqa: PLR0913  (the paper's own inputs)
    card: Formula, *, age: float, cholesterol_total: float, cholesterol_hdl: float, systolic_bp: float, sex: str, words: Collection[str]
) -> float:
    """The same risk, %, from the risk factors alone (cholesterol in mmol/L, pressure in mmHg)."""
    return _risk(card, _mesa(card, age=age, total=cholesterol_total, hdl=cholesterol_hdl, systolic=systolic_bp, words={sex, *words}))


def mcclelland_2009(card: Formula, *, agatston: float) -> float:
    """Arterial age, years, from the coronary calcium score (AU). MESA, McClelland RL et al, Am J Cardiol 2009."""
    return _number(card, "intercept") + _number(card, "per_ln_agatston_plus_1") * math.log1p(agatston)


def hoff_2001(card: Formula, *, agatston: float, age: float, sex: str) -> float:
    """The highest tabulated percentile (0 when none) that the score reaches at this age and sex. Hoff JA et al, Am J Cardiol 2001."""
    rows = {float(name.removeprefix(f"{sex}_")): cuts for name, cuts in card.coefficients.items() if name.startswith(f"{sex}_")}
    cuts = rows[max(start for start in rows if start <= age)]
    reached = [float(percentile) for percentile, cut in cast("dict[str, float]", cuts).items() if 0 < agatston >= cut]
    return max(reached, default=0.0)


def _mesa(card: Formula, *, age: float, total: float, hdl: float, systolic: float, words: Collection[str]) -> float:
    per = _number(card, "mg_dl_per_mmol_l")
    linear = _number(card, "age") * age + _number(card, "systolic_bp") * systolic
    lipids = (_number(card, "cholesterol_total_mg_dl") * total + _number(card, "cholesterol_hdl_mg_dl") * hdl) * per
    return linear + lipids + sum(weight for word, weight in _table(card, "words").items() if word in words)


def _risk(card: Formula, terms: float) -> float:
    return 100 * (1 - float(_number(card, "baseline_survival") ** math.exp(terms)))


def _number(card: Formula, name: str) -> float:
    return cast("float", card.coefficients[name])


def _table(card: Formula, name: str) -> dict[str, float]:
    return cast("dict[str, float]", card.coefficients[name])


def _by(card: Formula, name: str, sex: str) -> float:
    return _table(card, name)[sex]
