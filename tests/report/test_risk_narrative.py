"""What is said of lateness: which options bring what in time, at what cost, by when."""

import pandas as pd
from small_plan import written_outcomes, written_plan

from capsim.construction.acceleration import Acceleration
from capsim.construction.recovery import EARLIER, Recovery
from capsim.i18n.language import words
from capsim.report import narrative
from capsim.report.files import recovery_files
from capsim.report.page.plan import html_page
from capsim.report.screen import answer
from capsim.report.summary import summarize

CURVE = pd.DataFrame(
    [(0, 0, 0.0, 96.2, 87, 106, 87, 0.0), (3, 2, 4e6, 110.0, 102, 118, 101, 0.0)],
    columns=["measures", "projects", "cost_cny", "expected", "p05", "p95", "sure", "reached"],
)
MEASURES = pd.DataFrame(
    [
        ("P001", "C01", "outside_crew", 1e6, 6.0, 1e6),
        ("P002", "C01", "two_shifts", 2e6, 7.0, 3e6),
        ("P001", "C01", "outside_crew;approvals_first", 1e6, 1.0, 4e6),
    ],
    columns=["project", "county", "options", "cost_cny", "gained", "total_cny"],
)


def found(required=145, curve=CURVE, measures=MEASURES):
    return Acceleration(None, "build-2022", "2022-12-31", required, 0.95, measures, curve)


def told(recovery, lang="en"):
    plan = written_plan()
    outcomes = written_outcomes(plan)
    summary = summarize(plan, None, outcomes, recovery=recovery, seed=0, timings_s={})
    text = answer(plan, summary, outcomes, recovery=recovery, lang=lang)
    page = html_page(plan, summary, outcomes, recovery=recovery, lang=lang).decode()
    return " ".join(text.split()), page, summary


def worst():
    """Return the projects whose lateness harms most, with a cure, an earlier start and none."""
    outcomes = written_outcomes(written_plan())
    late = outcomes.tables["projects"].sort_values("harm", ascending=False).head(3)
    return late[["project", "planned", "harm", "p_on_time"]].assign(
        county="C01",
        opens=late["planned"],
        options=["two_shifts", EARLIER, ""],
        cost_cny=[3.1e6, 0.0, 0.0],
        p_with=[0.96, 0.97, 0.2],
        decide_by=["2022-03-01", "2023-01-15", ""],
    )


def test_what_cannot_be_had_is_said_with_the_most_and_its_cost():
    text, page, summary = told(Recovery((found(measures=MEASURES, curve=CURVE),), worst()))
    assert "What brings build-2022 in time by 2022-12-31:" in text
    assert "as things are: 87 in use in 95 % of futures, 96 expected; 145 required" in text
    assert (
        "145 cannot be had in 95 % of futures; at most 101 with 2 projects hurried for"
        " 4.0 million RMB (two shifts 1, outside crew + approvals first 1)" in text
    )
    assert "build-2022: projects in use by 2022-12-31, and what it costs to hurry" in page
    assert summary["recovery"]["programmes"][0]["enough"] is None


def test_what_is_enough_is_said_with_its_cost():
    text, _, summary = told(Recovery((found(required=100),), worst()))
    assert "101 with 2 projects hurried for 4.0 million RMB" in text
    assert "cannot be had" not in text
    assert summary["recovery"]["programmes"][0]["enough"]["cost_cny"] == 4e6


def test_no_option_is_said_too():
    nothing = found(curve=CURVE.head(1), measures=MEASURES.head(0))
    text, _, _ = told(Recovery((nothing,), worst()))
    assert "no option in the scenario wins time for it" in text


def test_each_project_with_its_cure():
    table = worst()
    text, page, _ = told(Recovery((), table))
    first, second, third = table["project"]
    assert f"{first} (" in text
    assert (
        ": two shifts for 3.1 million RMB, to be decided by 2022-03-01, brings it to 96 %" in text
    )
    assert ": beginning by 2023-01-15 brings it to 97 %" in text
    assert ": no option in the scenario wins time" in text
    assert "to be decided by" in page
    assert [name in page for name in (first, second, third)] == [True] * 3


def test_in_chinese():
    text, page, _ = told(Recovery((found(),), worst()), "zh")
    for text_said in ("怎样使build-2022在2022-12-31前完成", "两班倒施工", "须在2022-03-01前决定"):
        assert text_said in text
    assert "决策期限" in page


def test_files():
    names = [name for name, _ in recovery_files(Recovery((found(),), worst()))]
    assert names == [
        "recovery/projects.csv",
        "recovery/build-2022-curve.csv",
        "recovery/build-2022-measures.csv",
    ]


def test_what_opens_is_counted_by_what_it_is():
    """Two ordered schools, one candidate built, 2 x 50 places to another stage, three closed."""
    rows = [
        ("ordered", "new", 1, 800.0),
        ("under_construction", "extend", 1, 90.0),
        ("candidate", "new", 1, 400.0),
        ("candidate", "restage", 2, 50.0),
        ("candidate", "close", 3, 0.0),
    ]
    opened = pd.DataFrame(rows, columns=["status", "kind", "copies", "places"])
    assert narrative.opened_projects(opened, words("en")) == [
        "2 ordered projects open",
        "1 candidate is built",
        "100 places change stage",
        "3 public schools close",
    ]
