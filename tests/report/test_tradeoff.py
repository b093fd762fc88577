"""The figure of a trade-off draws the front's points and names their criteria."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from small_plan import written_plan

from capsim.report.figures.sensitivity import tradeoff
from capsim.report.figures.style import STYLE, new_figure, render

UNITS = {"cost": "million RMB", "displaced": "children", "surplus": "place-years"}


def front(*names: str, proved: bool = True) -> Any:
    """Four points of a front written down by hand."""
    table = pd.DataFrame({name: [10.0, 20.0, 35.0, 60.0] for name in names})
    table[names[1]] = [900.0, 500.0, 200.0, 0.0]
    table["point"], table["proved"] = range(4), [True, True, True, proved]
    given = SimpleNamespace(scenario=written_plan().scenario)
    return SimpleNamespace(
        criteria=tuple(SimpleNamespace(name=name, unit=UNITS[name]) for name in names),
        table=table,
        complete=proved,
        model=SimpleNamespace(given=given),
    )


def test_points_and_what_they_bound() -> None:
    ax = Figure(layout="constrained").add_subplot()
    tradeoff(ax, front("cost", "displaced"))
    points = ax.collections[-1].get_offsets()
    assert np.asarray(points).tolist() == [[10, 900], [20, 500], [35, 200], [60, 0]]
    line = np.column_stack(ax.lines[0].get_data())
    assert line.tolist()[:4] == [[10, 900], [20, 900], [20, 500], [35, 500]]
    assert ax.get_xlabel() == "cost (million RMB)"
    assert ax.get_title() == "Children made to change school against cost"


def test_what_is_not_proved_looks_different() -> None:
    ax = Figure(layout="constrained").add_subplot()
    tradeoff(ax, front("cost", "displaced", proved=False))
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "a limit ended the search" in labels
    words = " ".join(text.get_text() for text in ax.findobj(Text))
    assert "Time ended before all limits were tried" in words


def test_the_third_criterion_by_marker() -> None:
    ax = Figure(layout="constrained").add_subplot()
    tradeoff(ax, front("cost", "displaced", "surplus"))
    legend = ax.get_legend()
    assert legend.get_title().get_text() == "empty places\n(place-years)"
    assert [text.get_text() for text in legend.get_texts()] == ["10", "20", "35", "60"]


@pytest.mark.parametrize("names", [("cost", "displaced"), ("cost", "displaced", "surplus")])
def test_same_bytes_twice(names: tuple[str, ...]) -> None:
    files = []
    for _ in range(2):
        with mpl.rc_context(STYLE):
            figure = new_figure(6, 4)
            tradeoff(figure.add_subplot(), front(*names))
            files.append(render(figure, "svg"))
    assert files[0] == files[1]


@pytest.mark.parametrize("names", [("cost", "displaced"), ("cost", "displaced", "surplus")])
def test_in_chinese_no_english_is_left(names: tuple[str, ...]) -> None:
    ax = Figure(layout="constrained").add_subplot()
    tradeoff(ax, front(*names, proved=False), lang="zh")
    drawn = " ".join(text.get_text() for text in ax.findobj(Text))
    assert "须转学的学生" in drawn
    # Million RMB are a hundred times as many 万元, the unit of Chinese figures.
    assert ax.get_xlabel() == "费用（万元）"
    assert np.asarray(ax.collections[-1].get_offsets())[-1].tolist() == [6000, 0]
    name = written_plan().scenario.name
    assert not re.findall("[A-Za-z]{2,}", drawn.replace(name, "").replace("capsim", ""))
