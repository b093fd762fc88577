"""A scenario on one screen, for those who check what they have put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capsim.report.numbers import count, money, share

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.scenario import Scenario

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
        cells = "".join(f"{sector:<9}{count(number):>11}   " for sector, number in sectors.items())
        rows.append((f"Pupils in {years['base']}", f"{stage:<14}{cells}"))
    for stage, schools in view["schools"].items():
        cells = "".join(
            f"{sector:<9}{count(row['places']):>11} in {count(row['rows'])} rows   "
            for sector, row in schools.items()
        )
        rows.append(("Places in schools", f"{stage:<14}{cells}"))
    for status, row in view["projects"].items():
        places = f"{count(row['copies'])} with {count(row['places'])} places"
        rows.append(("Projects", f"{status:<20}{places}, {money(row['capital_cny'])}"))
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
        cells = "".join(f"{count(row[year]):>14}" for row in pupils.values())
        lines.append(f"{year:<11}{cells}")
    return "\n".join([*lines, *(f"Note: {note}" for note in view["notes"])]) + "\n"


def _ordered(scenario: Scenario) -> list[str]:
    policy = scenario.settings.policy
    texts = [
        f"private share at most {share(cap)} from the end of {year}"
        for year, cap in policy.private_share_cap.items()
    ]
    if policy.reduction:
        fewer = count(policy.reduction)
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
