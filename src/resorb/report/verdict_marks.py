"""Verdicts as marks: each has its colour (a class of the page) and its own shape, so that none is told by colour alone."""

from __future__ import annotations

from html import escape

_SHAPES = {
    "resolved": '<circle r="{r}" class="open"/>',
    "unchanged": '<circle r="{r}"/>',
    "shrank": '<path d="M0 {r}L{r} -{h}L-{r} -{h}Z"/>',
    "grew": '<path d="M0 -{r}L{r} {h}L-{r} {h}Z"/>',
    "new": '<path class="line" d="M-{r} 0H{r}M0 -{r}V{r}"/>',
    "merged": '<path d="M0 -{r}L{r} 0L0 {r}L-{r} 0Z"/>',
    "split": '<path class="open" d="M0 -{r}L{r} 0L0 {r}L-{r} 0Z"/>',
    "not covered": '<rect class="open" x="-{h}" y="-{h}" width="{d}" height="{d}"/>',
    "cannot tell": '<text class="query" text-anchor="middle" y="{h}" font-size="{f}">?</text>',
}


def mark(verdict: str, x: float, y: float, radius: float = 7.0) -> str:
    """The mark of a verdict as SVG, centred at (x, y)."""
    size = {"r": radius, "h": round(0.75 * radius, 1), "d": round(1.5 * radius, 1), "f": round(2.4 * radius, 1)}
    shape = _SHAPES[verdict].format(**size)
    return f'<g class="v {css(verdict)}" transform="translate({x:.1f} {y:.1f})"><title>{escape(verdict)}</title>{shape}</g>'


def css(verdict: str) -> str:
    """The class that carries the colour of a verdict."""
    return "v-" + verdict.replace(" ", "-")


def badge(verdict: str) -> str:
    """The mark in a line of text."""
    return f'<svg class="badge" viewBox="0 0 20 20" aria-hidden="true">{mark(verdict, 10, 10, 7)}</svg>'
