"""Files of a report, a comparison, a building programme and a back-test, as paths and contents.

Everything here is made in memory; `capsim.workflow` puts it on disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from capsim.certificate.ledger import Certificate
from capsim.comparison.ranking import Comparison
from capsim.construction.acceleration import Acceleration
from capsim.construction.programme_simulation import ConstructionSimulation
from capsim.construction.recovery import Recovery
from capsim.construction.scheduling import OptimizedStarts
from capsim.demand.rolling_origin import Backtest
from capsim.i18n.language import Message
from capsim.plan.plan import Explanation, Plan
from capsim.reliability.result import Hardened
from capsim.report.figures.comparison import comparison_figures
from capsim.report.figures.places import backtest_errors
from capsim.report.figures.plan_figures import all_figures
from capsim.report.figures.style import STYLE, new_figure, render, render_both
from capsim.report.page.comparison import comparison_page
from capsim.report.page.plan import html_page
from capsim.report.page.tables import Advice
from capsim.report.screen import comparison_text, notes_text
from capsim.report.summary import comparison_summary, comparison_tables, to_json
from capsim.report.workbook import origin_of, plan_geojson, plan_workbook
from capsim.simulation.outcomes import Outcomes

PAGE = "report.html"
COMPARISON_MARK = "comparison.txt"
"""The file by which a folder is known to be a comparison."""
COMPARISON_PAGE = "comparison.html"
BUILD_MARK = "building.json"
"""The file by which a folder is known to be a simulated building programme."""
BACKTEST_MARK = "backtest.json"
"""The file by which a folder is known to be a back-test."""
READ = "read.txt"
"""What was read from a table, left out and put right."""
RISKY = re.compile("'*[=+\\-@\t\r]")
"""How a text begins that a spreadsheet would run, or that is kept from it already."""


P = ParamSpec("P")
Files = Iterator[tuple[str, bytes]]
INPUT = "projects.csv"
"""The one file written that is read again as a table of a scenario."""


def money_named(currency: Callable[P, str]) -> Callable[[Callable[P, Files]], Callable[P, Files]]:
    """Let the CSV files of a function call columns of money by the currency of what it is given.

    Examples
    --------
    >>> @money_named(lambda code: code)
    ... def made(code):
    ...     yield "a.csv", b"area,capital_cny"
    >>> list(made("USD"))
    [('a.csv', b'area,capital_usd')]
    """

    def around(make: Callable[P, Files]) -> Callable[P, Files]:
        @wraps(make)
        def named(*args: P.args, **keywords: P.kwargs) -> Files:
            unit = f"_{currency(*args, **keywords).lower()}".encode()
            for name, content in make(*args, **keywords):
                if name.endswith(".csv") and name != INPUT and unit != b"_cny":
                    head, end, rows = content.partition(b"\n")
                    content = head.replace(b"_cny", unit) + end + rows
                yield name, content

        return named

    return around


@money_named(lambda plan, *_, **__: plan.scenario.settings.currency)
def files(
    plan: Plan,
    summary: dict[str, Any],
    certificate: Certificate | None = None,
    outcomes: Outcomes | None = None,
    *,
    reached: pd.DataFrame | None = None,
    explanation: Explanation | None = None,
    prices: pd.DataFrame | None = None,
    unsafe: Sequence[Message] = (),
    recovery: Recovery | None = None,
    advice: Sequence[Advice] = (),
    lang: str = "en",
) -> Iterator[tuple[str, bytes]]:
    """Yield path (relative, with `/`) and content of every file but answer and summary.

    Parameters
    ----------
    plan, certificate, outcomes
        What the run made.
    summary
        As `summarize` gives it.
    reached, explanation, prices, unsafe, recovery, advice, lang
        As for `html_page`; the workbook has the prices too, and the language is also that of the
        figures.

    Raises
    ------
    ValueError
        There is no such language.
    """
    if plan.status == "infeasible":
        yield PAGE, html_page(plan, summary, advice=advice, lang=lang)
        if plan.explanation is not None:
            yield from _explanation_files(plan.explanation)
        return
    for name, table in plan.tables.items():
        yield f"plan/{name}.csv", csv(table)
    if certificate is not None:
        yield "plan/certificate.csv", csv(certificate.table)
    if explanation is not None:
        yield from _explanation_files(explanation)
    if prices is not None:
        yield "prices.csv", csv(prices)
    yield "plan.xlsx", plan_workbook(plan, summary, outcomes, prices, reached)
    if origin_of(plan.scenario) is not None:
        yield "plan.geojson", plan_geojson(plan)
    if outcomes is not None:
        for name, table in outcomes.tables.items():
            yield f"outcomes/{name}.csv", csv(table)
    if recovery is not None:
        yield from recovery_files(recovery)
    figures = all_figures(
        plan, outcomes, safety=summary.get("safety"), recovery=recovery, lang=lang
    )
    drawn = _rendered(figures)
    yield from _figure_files(drawn, "figures/")
    page = html_page(
        plan,
        summary,
        outcomes,
        drawn=drawn,
        reached=reached,
        explanation=explanation,
        prices=prices,
        unsafe=unsafe,
        recovery=recovery,
        advice=advice,
        lang=lang,
    )
    yield PAGE, page


def _explanation_files(explanation: Explanation) -> Iterator[tuple[str, bytes]]:
    """Yield what gives way, all at once and each rule alone."""
    yield "explanation.csv", csv(explanation.table)
    if explanation.repairs is not None:
        yield "repairs.csv", csv(explanation.repairs)


def _rendered(figures: Mapping[str, Figure]) -> dict[str, tuple[bytes, bytes]]:
    """Render figures by name, as SVG and PNG."""
    return {name: render_both(figure) for name, figure in figures.items()}


def _figure_files(
    drawn: Mapping[str, tuple[bytes, bytes]], folder: str = ""
) -> Iterator[tuple[str, bytes]]:
    for name, (svg, png) in drawn.items():
        yield f"{folder}{name}.svg", svg
        yield f"{folder}{name}.png", png


@money_named(lambda hardened: hardened.scenario.settings.currency)
def safety_files(hardened: Hardened) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the tables of hardening."""
    yield "safety/rounds.csv", csv(hardened.rounds)
    yield "safety/targets.csv", csv(hardened.by_target)
    yield "safety/kept_free.csv", csv(hardened.shortages)
    yield "safety/hurried.csv", csv(hardened.hurried)


def recovery_files(recovery: Recovery) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the tables on what wins lost time."""
    yield "recovery/projects.csv", csv(recovery.projects)
    for found in recovery.programmes:
        name = re.sub(r"[^\w.-]+", "_", found.programme)
        yield f"recovery/{name}-curve.csv", csv(found.curve)
        yield f"recovery/{name}-measures.csv", csv(found.measures)


def _of_first(comparison: Comparison, *, lang: str = "en") -> str:
    return comparison.scenarios[comparison.first].settings.currency


@money_named(_of_first)
def comparison_files(comparison: Comparison, *, lang: str = "en") -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a comparison; the page comes last.

    Raises
    ------
    ValueError
        There is no such language.
    """
    yield COMPARISON_MARK, comparison_text(comparison, lang=lang).encode()
    tables = comparison_tables(comparison)
    for name, table in tables.items():
        yield f"{name}.csv", csv(table)
    yield "comparison.json", to_json(comparison_summary(comparison)).encode()
    drawn = _rendered(comparison_figures(comparison, tables, lang=lang))
    yield from _figure_files(drawn)
    yield COMPARISON_PAGE, comparison_page(comparison, tables, drawn, lang=lang)


@money_named(lambda view, *_: str(view["scenario"]["currency"]))
def building_files(
    view: dict[str, Any],
    programme: ConstructionSimulation,
    optimized: OptimizedStarts | None = None,
    phases: pd.DataFrame | None = None,
    found: Acceleration | None = None,
    projects: bytes | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a simulated building programme.

    With chosen start dates also these and their schedule, with learned durations also these, with
    what hurries a programme also that, and the table of projects with options bought.
    """
    yield BUILD_MARK, to_json(view).encode()
    for name in ("dates", "probability", "waiting", "use", "gantt"):
        yield f"{name}.csv", csv(getattr(programme, name)())
    if optimized is not None:
        yield "starts.csv", csv(optimized.table())
        yield "schedule.csv", csv(optimized.schedule.table)
    if phases is not None:
        yield "phases.csv", csv(phases)
    if found is not None:
        yield "hurry-curve.csv", csv(found.curve)
        yield "hurry-measures.csv", csv(found.measures)
    if projects is not None:
        yield INPUT, projects


def backtest_files(backtest: Backtest, lang: str = "en") -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a back-test."""
    if backtest.notes:
        yield READ, notes_text(backtest.notes, lang).encode()
    yield BACKTEST_MARK, backtest.to_json().encode()
    yield "errors.csv", csv(backtest.table)
    yield "chosen.csv", csv(backtest.chosen)
    yield "grades.csv", csv(backtest.grades)
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 5)
        backtest_errors(figure.add_subplot(), backtest)
    for form in ("png", "svg"):
        yield f"errors.{form}", render(figure, form)


def csv(table: pd.DataFrame) -> bytes:
    r"""Write a table as CSV; every number reads back as exactly what it was.

    A text that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, a
    tab or a carriage return) gets an apostrophe before it; `plain_text` takes it away again.

    Examples
    --------
    >>> csv(pd.DataFrame({"area": ["A"], "pupils": [0.1 + 0.2]}))
    b'area,pupils\nA,0.30000000000000004\n'
    >>> csv(pd.DataFrame({"area": ["=1+1", "-5", "a=b"], "pupils": [-1, 0, 1]}))
    b"area,pupils\n'=1+1,-1\n'-5,0\na=b,1\n"
    """
    texts = [
        name
        for name in table.columns
        if not pd.api.types.is_numeric_dtype(table[name]) and _any(table[name].unique())
    ]
    safe = table.assign(**{name: table[name].map(_kept) for name in texts}) if texts else table
    return safe.to_csv(index=False, lineterminator="\n").encode()


def plain_text(cell: str) -> str:
    """Return the text that a cell written by `csv` stands for.

    Examples
    --------
    >>> plain_text("'=1+1"), plain_text("'tis"), plain_text("''=1")
    ('=1+1', "'tis", "'=1")
    """
    return cell[1:] if cell.startswith("'") and RISKY.match(cell) else cell


def _any(cells: Iterable[Any]) -> bool:
    return any(isinstance(cell, str) and RISKY.match(cell) is not None for cell in cells)


def _kept(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and RISKY.match(cell) else cell
