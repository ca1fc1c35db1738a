"""Words of answers that the page shows in the reader's language: named here so that the catalogues find them."""

from __future__ import annotations


def _(word: str) -> str:
    return word


FITS = (_("strong fit"), _("moderate fit"), _("weak fit"))
WEIGHTS = (_("decisive"), _("strong"), _("moderate"), _("weak"), _("for"), _("against"))
URGENCIES = (_("emergency"), _("urgent"), _("soon"))
FAMILIES = (
    _("dystrophic"), _("metastatic"), _("idiopathic"), _("iatrogenic"), _("calciphylaxis"), _("ossification"), _("stone"),
    _("crystal deposition"), _("physiologic"), _("genetic"), _("atherosclerotic"), _("degenerative"), _("neoplastic"), _("mixed"),
)  # fmt: skip
VERDICTS = (_("helps"), _("may help"), _("uncertain"), _("no benefit"), _("harmful"))  # first and last stand in the template
CLAIMS = (_("supported"), _("untested"), _("false"))
APPLIES = (_("direct"), _("general"), _("conditional"), _("indirect"))
CERTAINTY = (_("high"), _("low"), _("very low"), _("normal"))
READ = (_("article"), _("abstract"), _("secondary"), _("unverified"))
DESIGNS = (
    _("randomised trial"), _("meta analysis"), _("cohort"), _("case control"), _("cross sectional"), _("case series"), _("survey"),
    _("case report"),
)  # fmt: skip
HOW = (
    _("one study"), _("too few people for a percentage"), _("a reported percentage without a count: no interval can be computed"),
    _("an effect as reported"),
)  # fmt: skip
CHANGES = (_("red flags"), _("both"), _("kind"), _("outlook"))
CHANGED = (
    _("resolved"), _("shrank"), _("unchanged"), _("grew"), _("new"), _("merged"), _("split"), _("not covered"), _("cannot tell"),
)  # fmt: skip
MEASURED = (
    _("mass"), _("volume"), _("Agatston score"), _("Agatston"), _("mass mg"), _("volume mm3"), _("diameter mm"), _("peak HU"), _("mg/cm3"),
)  # fmt: skip
TIMES = (
    _("day"), _("days"), _("week"), _("weeks"), _("month"), _("months"), _("year"), _("years"), _("percent by time"),
)  # fmt: skip
GREYS = (_("Calcium"), _("Soft tissue"), _("Bone"), _("Lung"))
WORK = (
    _("waiting"), _("starting"), _("loading the imaging libraries"), _("reading the scan"), _("looking for deposits"), _("writing"),
    _("making the preview"), _("reading the baseline"), _("reading the follow-up"), _("drawing"),
    _("laying the follow-up on the baseline and judging each deposit"),
)  # fmt: skip
