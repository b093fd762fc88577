"""A plan whose names hold what may break a page, a table or a figure."""

from functools import cache
from types import SimpleNamespace

import pandas as pd
from small_plan import Written, written_outcomes, written_plan

from capsim.comparison import Comparison, compare
from capsim.scenario import generate

HTML = "<script>document.title='broken'</script>"
IMAGE = '"><img src=x onerror="document.title=1">'
END = "</script><b>bold</b>"
FORMULA = "=1+1"
QUOTES = 'O\'Brien "the" `third` & $x^2$ {{ name }} %s \\n'
EMOJI = "第一中学🏫"
LONG = "长" * 100 + "x" * 100

COUNTIES = {"C01": HTML, "C02": LONG}
AREAS = {"C01-A": IMAGE, "C01-B": FORMULA, "C02-A": EMOJI, "C02-B": LONG + "B"}
PROJECTS = {"P000": END, "P001": QUOTES, "P002": LONG, "P003": FORMULA, "P004": EMOJI}
NAMES = [*COUNTIES.values(), *AREAS.values(), *PROJECTS.values()]
RENAME = {"county": COUNTIES, "area": AREAS, "to_area": AREAS, "project": PROJECTS}


def renamed(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its names replaced."""
    return table.assign(
        **{
            key: table[key].map(lambda name, names=names: names.get(name, name))
            for key, names in RENAME.items()
            if key in table.columns
        }
    )


def hostile_plan() -> tuple[SimpleNamespace, SimpleNamespace]:
    """Plan and outcomes."""
    plan = written_plan()
    outcomes = written_outcomes(plan)
    scenario = plan.scenario
    tables = {name: renamed(table) for name, table in scenario.given["tables_in"].items()}
    told = scenario.sources()
    told.loc[0, "source"] = IMAGE
    given = scenario.given | {"tables_in": tables, "sources": lambda: told.copy()}
    given |= {"title": HTML, "title_zh": HTML}
    plan.scenario = Written("small", given=given)
    plan.tables = {name: renamed(table) for name, table in plan.tables.items()}
    outcomes.tables = {name: renamed(table) for name, table in outcomes.tables.items()}
    return plan, outcomes


def reached(plan: SimpleNamespace) -> pd.DataFrame:
    """Milestones of the plan's projects."""
    rows = [
        (project, milestone, f"2022-0{5 + step}-14", 0.9 - 0.1 * step)
        for project in plan.tables["projects"]["project"]
        for step, milestone in enumerate(("built", "equipped", "up_to_standard", "in_use"))
    ]
    return pd.DataFrame(rows, columns=["project", "milestone", "date", "chance"])


@cache
def hostile_comparison() -> Comparison:
    """Compare a city with variants that have hostile names, of which one has no plan."""
    city = generate(2, 8000, 0, stages=("primary", "junior"), years=(2021, 2022), name=HTML)
    named = {LONG: {"costs.hire_cny": 9000}, FORMULA: {"policy.reduction": 100}}
    named |= {EMOJI: {"costs.hire_cny": 2000}, QUOTES: {"policy.reduction": 5000}}
    variants = [city.variant(change, name=name) for name, change in named.items()]
    return compare([city, *variants], draws=10, prices=True)
