"""The crowded part of a map is drawn apart; schools with places of their own are drawn."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from small_plan import written_outcomes, written_plan

from capsim.report import figures
from capsim.report.figures.maps import crowd


def spread(step=10.0, side=6):
    """A square lattice of areas."""
    x, y = (part.ravel() for part in np.meshgrid(*[step * np.arange(side)] * 2))
    return pd.DataFrame({"x_km": x, "y_km": y})


def test_a_town_among_villages_is_crowded():
    town = spread(0.5, 4).add({"x_km": 22.0, "y_km": 31.0})
    x0, x1, y0, y1 = crowd(pd.concat([spread(), town], ignore_index=True))
    assert (x0, x1) == pytest.approx((22.0 - 0.225, 23.5 + 0.225), abs=0.3)
    assert (y0, y1) == pytest.approx((31.0 - 0.225, 32.5 + 0.225), abs=0.3)


@pytest.mark.parametrize("table", [spread(), spread(1.0, 2), spread(10.0, 3)])
def test_what_is_evenly_spread_or_small_is_not(table):
    assert crowd(table) is None


def plan_of_a_town(own_places=True):
    """Forty areas of one county, thirty of them close together; a school of each sector."""
    plan = written_plan(counties=20)
    areas = plan.scenario.given["tables_in"]["areas"]
    at = np.arange(len(areas))
    x = np.where(at < 30, 50.0 + at % 6, 10.0 * (at % 10))
    y = np.where(at < 30, 50.0 + at // 6, 100.0 * (at > 34))
    given = plan.scenario.given["tables_in"]
    given["areas"] = areas.assign(x_km=x, y_km=y)
    if own_places:
        drawn = plan.tables["schools"].drop_duplicates(["school", "stage"])
        given["schools"] = drawn[["school", "stage", "area"]].assign(x_km=50.5, y_km=51.5)
        unknown = {
            "school": "",
            "area": "C01-A",
            "stage": "primary",
            "x_km": np.nan,
            "y_km": np.nan,
        }
        given["projects"] = given["projects"].assign(**unknown)
    return plan


@pytest.mark.slow
def test_the_crowded_part_has_an_axes_of_its_own():
    figure = figures.all_figures(plan_of_a_town())["map"]
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert "The part in the frame" in titles
    part = figure.axes[titles.index("The part in the frame")]
    low, high = part.get_xlim()
    assert 45 < low < 50
    assert 55 < high < 60
    plain = written_plan()
    assert len(figures.all_figures(plain, written_outcomes(plain))["map"].axes) == 2  # and its key


@pytest.mark.parametrize(("own_places", "expected"), [(True, 2), (False, 0)])
def test_schools_with_places_of_their_own_are_drawn_by_sector(own_places, expected):
    ax = Figure(layout="constrained").add_subplot()
    plan = plan_of_a_town(own_places)
    figures.place_map(ax, plan, 2022)
    stages = len(plan.scenario.settings.stages.compulsory)
    drawn = [one for one in ax.collections if len(one.get_offsets())]  # the key of sizes has none
    assert len(drawn) == 1 + expected * stages
    note = " ".join(text.get_text() for text in ax.texts)
    assert ("Squares: public schools" in note) == own_places


def test_names_of_counties_stand_clear_of_discs():
    """Above each disc but the last stands another: names go to the side, but for the last one's."""
    plan = written_plan(counties=8)
    given = plan.scenario.given["tables_in"]
    at = np.arange(16)
    given["areas"] = given["areas"].assign(
        x_km=30.0 * (at // 2 % 4), y_km=40.0 * (at // 8) + 6 * (at % 2)
    )
    given["areas"].loc[15, "x_km"] = 110.0
    figure = Figure(figsize=(9, 7), layout="constrained")
    ax = figure.add_subplot()
    figures.place_map(ax, plan, 2022)
    figure.draw_without_rendering()
    discs = ax.collections[0]
    middles = ax.transData.transform(discs.get_offsets())
    radii = np.sqrt(discs.get_sizes()) / 2 * figure.dpi / 72
    names = [text for text in ax.texts if text.get_text().startswith("C0")]
    assert len(names) == 8
    for name in names:
        box = name.get_window_extent()
        nearest = np.clip(middles, (box.x0, box.y0), (box.x1, box.y1))
        assert (np.hypot(*(middles - nearest).T) >= radii).all(), name.get_text()
    above = [name.get_text() for name in names if abs(name.xyann[0]) < 1]
    assert above == ["C08"]
