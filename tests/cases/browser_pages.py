"""The pages that a browser opens, in both languages, each made once however many workers test."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import LONG, hostile_comparison, hostile_plan, reached
from small_plan import written_certificate, written_explanation, written_outcomes, written_plan

from capsim.report import Advice, comparison_files, figures, html_page, summarize

LANGUAGES = ("en", "zh")
FEW = ("balance-2022", "map", "programme")
"""Figures with names in them: enough on the page of hostile names."""


class Pages:
    """Files by name and language, in a folder that all workers of a session share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def __getitem__(self, key: tuple[str, str]) -> Path:
        """Give a page's file; whoever asks first makes it, the others wait."""
        fcntl = pytest.importorskip("fcntl")
        name, lang = key
        place = self.folder / name
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not place.exists():
                aside = self.folder / f"{name}.part"
                aside.mkdir(exist_ok=True)
                for each in LANGUAGES:
                    (aside / f"{each}.html").write_bytes(MAKERS[name](each))
                aside.rename(place)
        return place / f"{lang}.html"


def plain(lang: str) -> bytes:
    """A plan of 14 counties with every figure."""
    plan = written_plan(counties=14, projects=60)
    return _page(plan, written_outcomes(plan), lang)


def hostile(lang: str) -> bytes:
    """A plan whose names hold what may break a page."""
    return _page(*hostile_plan(), lang, FEW)


def _page(plan, outcomes, lang, names=None) -> bytes:
    drawn = {
        name: figures.render_both(figure)
        for name, figure in figures.all_figures(plan, outcomes, lang=lang).items()
        if names is None or name in names
    }
    summary = summarize(plan, written_certificate(), outcomes, seed=7, timings_s={})
    advice = [Advice("Prices", [f"One more place in {LONG} is worth 5,000 RMB."])]
    given = {"drawn": drawn, "reached": reached(plan), "advice": advice}
    return html_page(plan, summary, outcomes, lang=lang, **given)


def hopeless(lang: str) -> bytes:
    """A scenario without a plan."""
    plan = written_plan()
    plan.status, plan.tables, plan.explanation = "infeasible", {}, written_explanation()
    return html_page(plan, summarize(plan, seed=7, timings_s={}), lang=lang)


def compared(lang: str) -> bytes:
    """A city beside variants with hostile names, of which one has no plan."""
    return dict(comparison_files(hostile_comparison(), lang=lang))["comparison.html"]


MAKERS: dict[str, Callable[[str], bytes]] = {
    "plain": plain,
    "hostile": hostile,
    "hopeless": hopeless,
    "compared": compared,
}
