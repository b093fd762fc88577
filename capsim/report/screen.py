"""The answer on one screen: targets met or not, mix, cost, how likely, what binds.

A scenario on one screen, for those who check what they have put in.

A building programme simulated alone, for one screen and for a folder.

A back-test of forecasting methods, for one screen and for a folder.

Scenarios side by side, for one screen and for a folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from capsim.comparison.differences import shown
from capsim.comparison.grid import heat, sweep_of, tornado
from capsim.i18n.language import (
    Words,
    filled,
    left,
    right,
    width,
    words,
    wrapped,
)
from capsim.report import narrative as sentences
from capsim.report.comparison_narrative import comparison_text
from capsim.report.figures.comparison import comparison_figures
from capsim.report.figures.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
    new_figure,
    render,
    render_both,
)
from capsim.report.narrative import explained
from capsim.report.page.comparison import comparison_page
from capsim.report.summary import csv, plain, to_json

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from capsim.comparison.side_by_side import Comparison
    from capsim.construction.building import ConstructionSimulation
    from capsim.construction.scheduling import OptimizedStarts
    from capsim.demand.projection import Demand
    from capsim.demand.rolling_origin import Backtest
    from capsim.plan.plan import Plan
    from capsim.scenario.scenario import Scenario
    from capsim.simulation.outcomes import Outcomes


def answer(
    plan: Plan, summary: dict[str, Any], outcomes: Outcomes | None = None, *, lang: str = "en"
) -> str:
    """Put a run into words, for one screen of 100 columns.

    Parameters
    ----------
    plan, outcomes
        What the run made.
    summary
        As `summarize` gives it.
    lang
        `en` or `zh`.
    """
    say = words(lang)
    scenario = plan.scenario
    title = f"{scenario.heading(lang)} ({scenario.name} {scenario.hash[:10]})"
    lines = [title, sentences.verdict(plan, summary, say), ""]
    if plan.status == "infeasible":
        messages = () if plan.explanation is None else plan.explanation.messages
        for sentence in explained(messages, say):
            lines += filled(sentence, "  " if sentence.startswith("- ") else "")
        return "\n".join(lines) + "\n"
    lines += _targets(summary, say)
    lines.append("")
    for saying in sentences.mix(plan, summary, say):
        lines += wrapped(*saying)
    lines += ["", *wrapped(*sentences.cost(plan, summary, say))]
    if spread := sentences.cost_spread(plan, summary, say):
        lines += filled(f"  {spread}", "  ")
    if missing := sentences.short(plan, say):
        lines += ["", *wrapped(*missing)]
    lines += ["", *sentences.people(summary, say)]
    lines += ["", *wrapped(*sentences.binds(plan, say))]
    if outcomes is not None and (late := sentences.late(outcomes, say)):
        lines += ["", *wrapped(*late)]
    return "\n".join(lines) + "\n"


def _targets(summary: dict[str, Any], say: Words) -> list[str]:
    """Write a line for each rule: its first date in full, its later years in short."""
    rows = sentences.target_rows(summary, say)
    simulated = summary["simulation"]["draws"] > 0
    names = [say.rule(row["rule"]) for row in rows]
    wide = max(width(name) for name in [say("Target"), *names]) + 2
    head = left(say("Target"), wide) + left(say("by"), 12)
    head += right(say("required"), 10) + right(say("planned"), 10) + " " * 9
    head += left(say("likely") if simulated else "", 8) + say("later years")
    lines = [head.rstrip()]
    for name, row in zip(names, rows, strict=True):
        line = left(name, wide) + left(row["by"], 12)
        line += right(row["required"], 10) + right(row["achieved"], 10) + "  "
        line += left(say("holds") if row["holds"] else say("MISSED"), 7)
        line += f"{row['chance']:>6}  {row['later']}"
        lines.append(line.rstrip())
    return lines


EN = words("en")
"""Of screens that are in English alone."""
MARKS = {"S": "stated", "P": "published", "D": "derived", "A": "assumed", "": "unmarked"}


def overview(scenario: Scenario) -> dict[str, Any]:
    """Sum a scenario up.

    Returns
    -------
    dict
        name, title, hash, years (base, first, last planned), counties, areas, pupils (base year,
        by stage and sector), schools (rows and places by stage and sector), projects (rows,
        copies, places, capital in RMB by status), limits (rows by kind), ordered (what the
        policies ask, as words), marks (figures by mark) and warnings.
    """
    areas = scenario.table("areas")
    sources = scenario.sources()
    return {
        "name": scenario.name,
        "title": scenario.title,
        "hash": scenario.hash,
        "years": {
            "base": scenario.base_year,
            "first": scenario.first_year,
            "last": scenario.last_year,
        },
        "counties": int(areas["county"].nunique()),
        "areas": len(areas),
        "pupils": _pupils(scenario),
        "schools": _schools(scenario),
        "projects": _projects(scenario),
        "limits": {
            str(kind): int(rows)
            for kind, rows in scenario.table("limits")["kind"].value_counts(sort=False).items()
        },
        "ordered": _ordered(scenario),
        "marks": {
            str(mark): int(rows)
            for mark, rows in sources["mark"].value_counts().sort_index().items()
        },
        "warnings": list(scenario.warnings),
    }


def overview_text(view: dict[str, Any]) -> str:
    """Write what `overview` gives as lines for one screen."""
    years = view["years"]
    counties = "county" if view["counties"] == 1 else "counties"
    rows = [
        ("Areas", f"{view['areas']} in {view['counties']} {counties}"),
        ("Years", f"observed to {years['base']}, planned {years['first']} to {years['last']}"),
    ]
    for stage, sectors in view["pupils"].items():
        cells = "".join(f"{name:<9}{EN.count(number):>11}   " for name, number in sectors.items())
        rows.append((f"Pupils in {years['base']}", f"{stage:<14}{cells}"))
    for stage, schools in view["schools"].items():
        cells = "".join(
            f"{sector:<9}{EN.count(row['places']):>11} in {EN.count(row['rows'])} rows   "
            for sector, row in schools.items()
        )
        rows.append(("Places in schools", f"{stage:<14}{cells}"))
    for status, row in view["projects"].items():
        places = f"{EN.count(row['copies'])} with {EN.count(row['places'])} places"
        rows.append(("Projects", f"{status:<20}{places}, {EN.money(row['capital_cny'])}"))
    if view["limits"]:
        kinds = (f"{kind} ({number})" for kind, number in view["limits"].items())
        rows.append(("Limits (rows)", ", ".join(kinds)))
    rows += [("Ordered", text) for text in view["ordered"]]
    if view["marks"]:
        kinds = (f"{number} {MARKS.get(mark, mark)}" for mark, number in view["marks"].items())
        rows.append(("Figures", ", ".join(kinds)))
    rows += [("Warning", text) for text in view["warnings"]]
    title = f"{view['title'] or view['name']} ({view['name']} {view['hash'][:10]}): no fault."
    lines, last = [title], ""
    for head, text in rows:
        lines.append(f"  {'' if head == last else head:<20}{text}".rstrip())
        last = head
    return "\n".join(lines) + "\n"


def enrolment(scenario: Scenario, demand: Demand) -> dict[str, Any]:
    """Sum a projection up: children to be placed by stage and year.

    Returns
    -------
    dict
        scenario (name, hash), pupils (stage → year → persons) and notes.
    """
    table = demand.frame()
    stages = {grade: name for name, stage in scenario.stages.items() for grade in stage.grades}
    sums = table.groupby([table["grade"].map(stages), "school_year"])["pupils"].sum()
    return {
        "scenario": {"name": scenario.name, "hash": scenario.hash},
        "pupils": {
            stage: {str(year): float(number) for year, number in sums[stage].items()}
            for stage in scenario.stages
        },
        "notes": list(demand.notes),
    }


def enrolment_text(view: dict[str, Any]) -> str:
    """Write what `enrolment` gives as a table by year and stage."""
    pupils = view["pupils"]
    years = sorted({year for row in pupils.values() for year in row})
    lines = ["school year" + "".join(f"{stage:>14}" for stage in pupils)]
    for year in years:
        cells = "".join(f"{EN.count(row[year]):>14}" for row in pupils.values())
        lines.append(f"{year:<11}{cells}")
    return "\n".join([*lines, *(f"Note: {note}" for note in view["notes"])]) + "\n"


def _ordered(scenario: Scenario) -> list[str]:
    policy = scenario.settings.policy
    texts = [
        f"private share at most {EN.share(cap)} from the end of {year}"
        for year, cap in policy.private_share_cap.items()
    ]
    if policy.reduction:
        fewer = EN.count(policy.reduction)
        texts.append(f"{fewer} private pupils fewer on 1 September {policy.reduction_year}")
    for name, programme in scenario.settings.programmes.items():
        texts.append(f"{name}: {programme.number} projects in use by {programme.by}")
    return texts


def _pupils(scenario: Scenario) -> dict[str, dict[str, float]]:
    pupils = scenario.table("pupils")
    pupils = pupils[pupils["school_year"] == scenario.base_year]
    stages = {grade: name for name, stage in scenario.stages.items() for grade in stage.grades}
    pupils = pupils.assign(stage=pupils["grade"].map(stages)).dropna(subset=["stage"])
    sums = pupils.groupby(["stage", "sector"])["pupils"].sum()
    return {
        stage: {str(sector): float(number) for sector, number in sums[stage].items()}
        for stage in scenario.stages
        if stage in sums.index.get_level_values("stage")
    }


def _schools(scenario: Scenario) -> dict[str, dict[str, dict[str, float]]]:
    schools = scenario.table("schools")
    result: dict[str, dict[str, dict[str, float]]] = {}
    for (stage, sector), rows in schools.groupby(["stage", "sector"]):
        row = {"rows": len(rows), "places": float(rows["places"].sum())}
        result.setdefault(str(stage), {})[str(sector)] = row
    return {stage: result[stage] for stage in scenario.stages if stage in result}


def _projects(scenario: Scenario) -> dict[str, dict[str, float]]:
    projects = scenario.table("projects")
    result = {}
    for status, rows in projects.groupby("status", sort=False):
        copies = rows.drop_duplicates("project")["count"].sum()
        result[str(status)] = {
            "copies": int(copies),
            "places": float((rows["places"] * rows["count"]).sum()),
            "capital_cny": float((rows["capital_cny"] * rows["count"]).sum()),
        }
    return result


BUILD_MARK = "building.json"
"""The file by which a folder is known to be a simulated building programme."""

MOST = 5


def building(scenario: Scenario, programme: ConstructionSimulation) -> dict[str, Any]:
    """Sum a simulated building programme up.

    Returns
    -------
    dict
        scenario (name, hash), seed, replications, projects (copies), on_time (mean share of them
        in use on their planned day), programmes (name → by, number, projects, in_use_mean,
        probability that the number is reached), waiting (cause → mean days a project), late (the
        projects most likely to be late: project, planned, p_on_time, p50, p90).
    """
    opening = programme.opening
    settings = scenario.settings.programmes
    given = scenario.table("projects").drop_duplicates("project").set_index("project")
    of_project = given["programme"].reindex(list(programme.projects)).to_numpy()
    programmes = {}
    for name, rule in settings.items():
        mine = of_project == name
        by = np.datetime64(rule.by.isoformat(), "D").astype(int)
        reached = (opening[:, mine] <= by).sum(axis=1)
        programmes[name] = {
            "by": rule.by.isoformat(),
            "number": rule.number,
            "projects": int(mine.sum()),
            "in_use_mean": reached.mean(),
            "probability": (reached >= rule.number).mean(),
        }
    waiting = programme.waiting().groupby("cause")["days"].sum()
    waiting = (waiting / max(1, len(programme.projects))).sort_values(ascending=False)
    chance = programme.probability()
    dates = programme.dates()
    dates = dates[dates["milestone"] == "in_use"]
    late = chance.merge(dates[["project", "copy", "p50", "p90"]], on=["project", "copy"])
    late = late[late["probability"] < 1].sort_values("probability", kind="stable").head(MOST)
    late = late.rename(columns={"probability": "p_on_time"})
    return plain(
        {
            "scenario": {"name": scenario.name, "hash": scenario.hash},
            "seed": programme.seed,
            "replications": len(opening),
            "projects": len(programme.projects),
            "on_time": chance["probability"].mean(),
            "programmes": programmes,
            "waiting_days": waiting.to_dict(),
            "late": late[["project", "planned", "p_on_time", "p50", "p90"]].to_dict("records"),
        }
    )


def building_text(view: dict[str, Any]) -> str:
    """Write what `building` gives as lines for one screen."""
    lines = [
        f"{view['scenario']['name']}: {EN.count(view['projects'])} projects,"
        f" {EN.count(view['replications'])} simulations, seed {view['seed']}.",
        f"In use on the planned day: {100 * (view['on_time'] or 0):.0f} % of the projects.",
    ]
    for name, row in view["programmes"].items():
        lines.append(
            f"{name}: {row['number']} wanted by {row['by']}; {EN.count(row['in_use_mean'])} of"
            f" {row['projects']} in use on average, enough in {100 * row['probability']:.0f} %."
        )
    if view["waiting_days"]:
        causes = (f"{cause} {days:.1f}" for cause, days in view["waiting_days"].items())
        lines.append(f"Days lost by an average project: {', '.join(causes)}.")
    lines += [
        f"  {row['project']:<16} planned {row['planned']}, on time {100 * row['p_on_time']:.0f} %,"
        f" even chance {row['p50']}, nine in ten {row['p90']}"
        for row in view["late"]
    ]
    if "starts" in view:
        lines += _starts_lines(view["starts"])
    if "slippage" in view:
        lines += _slippage_lines(view["slippage"])
    return "\n".join(lines) + "\n"


def starts_gain(scenario: Scenario, optimized: OptimizedStarts) -> dict[str, Any]:
    """Sum up what chosen start dates gain.

    Returns
    -------
    dict
        schedules (tried), earlier (projects that begin earlier), days_earlier (their mean),
        before and after: on_time, days_late (means over all projects), programmes (name →
        probability that the number is reached).
    """
    table = optimized.table()
    begin = table[["begin_before", "begin_after"]].apply(pd.to_datetime)
    days = (begin["begin_before"] - begin["begin_after"]).dt.days
    view: dict[str, Any] = {
        "schedules": optimized.schedule.schedules,
        "earlier": int((days > 0).sum()),
        "days_earlier": days[days > 0].mean(),
    }
    for name, programme in (("before", optimized.before), ("after", optimized.after)):
        chances = building(scenario, programme)["programmes"]
        view[name] = {
            "on_time": table[f"on_time_{name}"].mean(),
            "days_late": table[f"days_late_{name}"].mean(),
            "programmes": {key: row["probability"] for key, row in chances.items()},
        }
    return plain(view)


def _starts_lines(view: dict[str, Any]) -> list[str]:
    if not view["earlier"]:
        return ["No project that has not begun could begin earlier than planned."]
    before, after = view["before"], view["after"]
    lines = [
        f"Start dates chosen among {EN.count(view['schedules'])} schedules:"
        f" {EN.count(view['earlier'])} projects begin {EN.count(view['days_earlier'])} days earlier"
        " on average.",
        f"  on time {100 * before['on_time']:.1f} -> {100 * after['on_time']:.1f} %,"
        f" days late on average {before['days_late']:.1f} -> {after['days_late']:.1f}",
    ]
    for name, chance in before["programmes"].items():
        reached = after["programmes"][name]
        lines.append(f"  {name} enough in {100 * chance:.0f} -> {100 * reached:.0f} %")
    return lines


def _slippage_lines(view: dict[str, Any]) -> list[str]:
    return [
        f"Learned from the record: {EN.count(view['projects'])} projects,"
        f" {EN.count(view['opened'])} open by {view['closed']}; time taken over time planned has"
        f" median {view['median']:.2f},",
        f"  spread {view['sd']:.2f} in a county (of its logarithm), and {view['shock_sd']:.2f}"
        " that a county's projects share (construction.shock_sd).",
    ]


def building_files(
    view: dict[str, Any],
    programme: ConstructionSimulation,
    optimized: OptimizedStarts | None = None,
    phases: pd.DataFrame | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a simulated building programme.

    With chosen start dates also these and their schedule, with learned durations also these.
    """
    yield BUILD_MARK, to_json(view).encode()
    for name in ("dates", "probability", "waiting", "use", "gantt"):
        yield f"{name}.csv", csv(getattr(programme, name)())
    if optimized is not None:
        yield "starts.csv", csv(optimized.table())
        yield "schedule.csv", csv(optimized.schedule.table)
    if phases is not None:
        yield "phases.csv", csv(phases)


BACKTEST_MARK = "backtest.json"
"""The file by which a folder is known to be a back-test."""

LEVELS = {"total": "the whole", "area": "areas", "grade": "grades of areas"}
FIGURES = {
    "mape": ("mean relative error (MAPE)", 2),
    "bias": ("bias (forecast above: +)", 2),
    "cover80": ("held by 80 % intervals", 1),
    "cover95": ("held by 95 % intervals", 1),
}
PALE = "#D6D6D6"
LINES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (VERMILLION, "D"), (PURPLE, "v"), (SKY, "P"))


def backtest_text(backtest: Backtest) -> str:
    """Write the errors by level, method and lead, the least of each lead marked."""
    lines = []
    for level, label in LEVELS.items():
        table = _errors(backtest, level)
        lines.append(f"WAPE of {label}, %, by years ahead")
        lines.append(f"  {'':<28}" + "".join(f"{lead:>9}" for lead in table.columns))
        least = table.to_numpy().min(axis=0)
        for method, row in zip(table.index, table.to_numpy(), strict=True):
            cells = "".join(
                f"{value:>8.2f}{'*' if value == best else ' '}"
                for value, best in zip(row, least, strict=True)
            )
            lines.append(f"  {method!s:<28}{cells}")
    for level, label in LEVELS.items():
        rows = backtest.table.query("method == 'auto' and level == @level")
        rows = rows[rows["lead"].isin(_errors(backtest, level).columns)]
        lines.append(f"auto, {label}, %, by years ahead")
        for figure, (name, digits) in FIGURES.items():
            cells = "".join(
                f"{'-':>8} " if np.isnan(value) else f"{value:>8.{digits}f} "
                for value in rows[figure]
            )
            lines.append(f"  {name:<28}{cells}")
    lines.append("* least error of that lead; - no interval yet")
    return "\n".join(lines) + "\n"


def backtest_errors(ax: Axes, backtest: Backtest, level: str = "area") -> None:
    """Draw the weighted error of each method by years ahead, at a level, on an Axes.

    ``auto`` is what lies on one of the others for the most part: a broad line behind them.
    """
    table = _errors(backtest, level)
    for number, (method, row) in enumerate(table.iterrows()):
        if method == "auto":
            ax.plot(row.index, row, color=PALE, linewidth=8, zorder=1, label="auto")
            continue
        colour, marker = LINES[number % len(LINES)]
        dashes = "-" if number < len(LINES) else "--"
        ax.plot(
            row.index, row, color=colour, marker=marker, markersize=5, ls=dashes, label=str(method)
        )
    ax.set_ylim(bottom=0)
    ax.set_xticks(list(table.columns))
    ax.set_title(f"How far forecasts of {LEVELS[level]} missed")
    ax.set_xlabel("years ahead")
    ax.set_ylabel("weighted absolute error, % of pupils")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def backtest_files(backtest: Backtest) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a back-test."""
    yield BACKTEST_MARK, backtest.to_json().encode()
    yield "errors.csv", csv(backtest.table)
    yield "chosen.csv", csv(backtest.chosen)
    yield "grades.csv", csv(backtest.grades)
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 5)
        backtest_errors(figure.add_subplot(), backtest)
    for form in ("png", "svg"):
        yield f"errors.{form}", render(figure, form)


def _errors(backtest: Backtest, level: str) -> pd.DataFrame:
    rows = backtest.table[backtest.table["level"] == level]
    table = rows.pivot_table(index="method", columns="lead", values="wape", sort=False)
    return table.dropna(how="all")


MARK = "comparison.txt"
"""The file by which a folder is known to be a comparison."""
PAGE = "comparison.html"


def comparison_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Give every table of a comparison, those of a grid too: for files and for pages.

    Returns
    -------
    dict
        The comparison's own, `factors` (scenario, key, value) where settings were varied,
        `tornado` where one at a time, `heat` (a row a value of the first setting, which names the
        first column; the others are named ``second=value``) where two.
    """
    tables = dict(comparison.tables)
    if comparison.factors:
        rows = [
            (name, key, shown(value))
            for name, change in comparison.factors.items()
            for key, value in change.items()
        ]
        tables["factors"] = pd.DataFrame(rows, columns=["scenario", "key", "value"])
    summary, column = comparison.tables["summary"], comparison.criterion
    shape = sweep_of(comparison.factors)
    if shape == "tornado":
        tables[shape] = tornado(summary, comparison.factors, comparison.first, column)
    if shape == "heat":
        table = heat(summary, comparison.factors, column)
        of_value = {value: f"{table.columns.name}={value}" for value in table.columns}
        tables[shape] = table.rename(columns=of_value).reset_index()
    return tables


def comparison_files(comparison: Comparison, *, lang: str = "en") -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a comparison; the page comes last.

    Raises
    ------
    ValueError
        There is no such language.
    """
    yield MARK, comparison_text(comparison, lang=lang).encode()
    tables = comparison_tables(comparison)
    for name, table in tables.items():
        yield f"{name}.csv", csv(table)
    yield "comparison.json", to_json(comparison_summary(comparison)).encode()
    drawn = {}
    for name, figure in comparison_figures(comparison, tables, lang=lang).items():
        drawn[name] = svg, png = render_both(figure)
        yield f"{name}.svg", svg
        yield f"{name}.png", png
    yield PAGE, comparison_page(comparison, tables, drawn, lang=lang)


def comparison_summary(comparison: Comparison) -> dict[str, Any]:
    """Sum a comparison up for scripts: the first, the criterion, and tables as lists of rows."""
    names = (
        *("summary", "inputs", "differences", "targets", "mix", "costs", "years", "limits"),
        *("binding", "factors", "tornado", "heat"),
    )
    tables = comparison_tables(comparison)
    return plain(
        {
            "first": comparison.first,
            "criterion": comparison.criterion,
            "explanations": {name: one.sentences for name, one in comparison.results.items()},
            **{name: tables[name].to_dict("records") for name in names if name in tables},
        }
    )
