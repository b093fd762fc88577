"""Figures of several plans: what they say of a comparison written by hand, and how they look."""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from looks import APART, apart, reaches_edge
from matplotlib.figure import Figure
from matplotlib.text import Text
from small_plan import REDUCTION, written_plan
from test_safety import CURVE
from test_tradeoff import front

from capsim.report.figures.comparison import comparison_figures
from capsim.report.figures.risk import safety_figure
from capsim.report.figures.sensitivity import tradeoff
from capsim.report.figures.style import STYLE, new_figure

NAMES = ["as ordered", "no purchase", "half the money"]


def compared(factors=None, tables=None, dearer=2.0):
    """Three scenarios; the second costs `dearer` hundred million more than the first."""
    names = NAMES if factors is None else ["as ordered", *factors]
    cost = 1e8 * np.array([5.0, 5.0 + dearer, 4.0] + [6.0] * (len(names) - 3))[: len(names)]
    mix = pd.DataFrame([{"scenario": name, **REDUCTION, "total": 230.0} for name in names])
    kinds = {"capital": 0.6, "staff": 0.5, "purchase": -0.1}
    costs = pd.DataFrame(
        [
            {
                "scenario": name,
                "kind": kind,
                "discounted_cny": share * all_ + 9e8 * (kind == "staff"),
                "committed_cny": 9e8 * (kind == "staff"),
            }
            for name, all_ in zip(names, cost, strict=True)
            for kind, share in kinds.items()
        ]
    )
    summary = pd.DataFrame({"scenario": names, "objective_cny": cost})
    above = cost[1:] - cost[0]
    differences = pd.DataFrame({"scenario": names[1:], "what": "paid_cny", "difference": above})
    differences = differences.assign(low=above - 3e7, high=above + 5e7, differs=above > 0)
    inputs = pd.DataFrame({"column": ["costs.hire_cny"], "first": ["5000"]})
    given = {"summary": summary, "mix": mix, "costs": costs, "differences": differences}
    given |= {"inputs": inputs} | (tables or {})
    return SimpleNamespace(
        tables=given,
        factors=factors or {},
        first=names[0],
        criterion="objective_cny",
        results=dict.fromkeys(names),
        scenarios={names[0]: written_plan().scenario},
        draws=100,
        seed=7,
    )


def grid():
    """Two settings of two and three values, of which one pair has no plan."""
    pairs = [(a, b) for a in (2000, 9000) for b in (0.03, 0.04, 0.05)]
    factors = {f"s{a}{b}": {"costs.hire_cny": a, "costs.discount_rate": b} for a, b in pairs}
    made = compared(factors)
    made.tables["summary"]["objective_cny"] = [5e8, 3e8, 4e8, 5e8, np.nan, 7e8, 8e8]
    return made


def alone():
    """A tornado of two settings, of which the second is wider."""
    rows = [
        ("costs.hire_cny", "", "9000", 5e8, 5e8, 5.5e8),
        ("costs.discount_rate", "0.06", "0.02", 4e8, 5e8, 7e8),
    ]
    table = pd.DataFrame(rows, columns=["key", "low_value", "high_value", "low", "base", "high"])
    return compared(
        tables={"tornado": table.assign(range=table["high"] - table["low"], differs=True)}
    )


def drawn(name):
    if name == "tradeoff":
        with mpl.rc_context(STYLE):
            figure = new_figure(6, 4)
            tradeoff(figure.add_subplot(), front("cost", "displaced"))
        return figure
    if name == "safety":
        return safety_figure(CURVE)
    made = {"heat": grid, "tornado": alone}.get(name, compared)()
    if name == "heat":
        made.tables["heat"] = made.tables["summary"]
    return comparison_figures(made, made.tables)[name]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize(
    "name", ["mix", "cost", "differences", "tornado", "heat", "tradeoff", "safety"]
)
def test_figures_of_several_plans_look_as_they_did(name):
    assert apart(drawn(name), f"compared-{name}") < APART
    assert not reaches_edge(drawn(name))


def test_a_changed_comparison_is_seen(monkeypatch):
    monkeypatch.delenv("CAPSIM_BASELINES", raising=False)
    other = compared(dearer=9.0)
    changed = comparison_figures(other, other.tables)
    assert apart(changed["cost"], "compared-cost") > APART


@pytest.mark.slow
def test_a_grid_is_labelled_by_values_as_they_were_given():
    found = words(drawn("heat"))
    assert {"2000", "9000", "0.03", "costs.hire_cny", "costs.discount_rate"} <= set(found)
    assert "no plan" in found
    assert "300" in found  # million RMB


def test_a_tornado_says_the_own_value_of_the_base_and_what_each_end_is():
    found = words(drawn("tornado"))
    assert {"5000", "9000", "0.06", "0.02"} <= set(found)
    ticks = [label.get_text() for label in drawn("tornado").axes[0].get_yticklabels()]
    assert ticks == ["discount_rate", "hire_cny"]
