"""Figures draw what the tables say, alone on an Axes, and the same bytes each time."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from small_plan import written_outcomes, written_plan

from capsim import generate, optimize
from capsim.report import figures

PLAN = written_plan()
OUTCOMES = written_outcomes(PLAN)


def axes():
    return Figure(layout="constrained").add_subplot()


def heights(ax, label):
    """Heights of the bars of one series."""
    for container in ax.containers:
        if container.get_label() == label:
            return [bar.get_height() for bar in container]
    return []


def test_mix_adds_up_to_all_children():
    table = figures.mix_table(PLAN)
    # four areas of 1,000 primary and 500 junior pupils, of which 7 twice without a place
    assert table.loc[2022].sum() == pytest.approx(4 * 1500 * 1.0 + 14)
    assert table.loc[2022, "purchased"] == pytest.approx(0.06 * 6000)
    assert table.loc[2022, "private"] == pytest.approx(0.04 * 6000 - 2 * 20 * 2)
    ax = axes()
    figures.mix(ax, PLAN)
    assert heights(ax, "converted schools") == pytest.approx([600.0] * 9)


def test_balance_by_area_and_by_county_when_there_are_many():
    table = figures.balance_table(PLAN, "primary", 2023)
    assert list(table.index) == ["C01-A", "C01-B", "C02-A", "C02-B"]
    assert table["surplus"].to_list() == [12.0, 24.0, 36.0, 12.0]
    assert table["overfilled"].to_list() == [20.0, 0.0, 20.0, 0.0]
    table = figures.balance_table(PLAN, "primary", 2023, most=3)
    assert table["surplus"].to_dict() == {"C01": 36.0, "C02": 48.0}


def test_private_share_draws_both_rules_and_the_cap():
    ax = axes()
    figures.private_share(ax, PLAN, OUTCOMES)
    excluding, including = (line.get_ydata() for line in ax.lines[:2])
    assert excluding[:2] == pytest.approx([0.257, 0.05])
    assert including[1] == pytest.approx(0.11)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "cap" in texts
    assert "purchased places counted: 90 % of simulations" in texts


def test_waterfall_ends_at_the_total():
    ax = axes()
    figures.reduction(ax, PLAN)
    bars = [bar for container in ax.containers for bar in container]
    tops = [bar.get_y() + bar.get_height() for bar in bars]
    assert tops == pytest.approx([60, 150, 195, 210, 240, 230, 230])
    assert [bar.get_y() for bar in bars] == pytest.approx([0, 60, 150, 195, 210, 240, 0])
    assert any("ordered: 220" in text.get_text() for text in ax.texts)


def test_cost_leaves_out_what_is_committed():
    table = figures.cost_table(PLAN)
    assert table.loc[2022].to_dict() == pytest.approx(
        {"staff": 2 * (0.9 * 8e6 - 7e6), "capital": 2 * 2.7e7, "purchase": 2 * 1.8e6}
    )


def test_gantt_groups_only_when_projects_are_many():
    single = figures.gantt_table(PLAN, OUTCOMES)
    assert len(single) == 12
    assert (single["p90"] > single["p50"]).all()
    grouped = figures.gantt_table(PLAN, OUTCOMES, most=10)
    assert len(grouped) < 12
    assert grouped["projects"].sum() == 12
    assert grouped["places"].sum() == pytest.approx(12 * 900)
    by_date = figures.gantt_table(PLAN, OUTCOMES, most=2)
    assert set(by_date["label"]) == {"build-2022", "kindergarten-2022"}


def test_gantt_without_outcomes_has_no_likely_dates():
    table = figures.gantt_table(PLAN)
    assert table[["p50", "p90", "p_on_time"]].isna().all(axis=None)
    ax = axes()
    figures.gantt(ax, PLAN)
    assert "in use: even chance" not in [text.get_text() for text in ax.get_legend().get_texts()]


def test_gantt_of_what_is_built_in_no_time_spans_a_month():
    town = generate(areas=1, pupils=1000, years=(2021, 2022), stages=("primary", "junior"))
    built = town.table("projects")
    built = built[built["programme"] == "build"].assign(build_months=0.0, started="")
    built = built.assign(earliest_opening="2022-12-01", due="2022-12-31")
    plan = optimize(town.variant(tables={"projects": built}))
    ax = axes()
    figures.gantt(ax, plan)
    low, high = ax.get_xlim()
    assert len(figures.gantt_table(plan)["opens"].unique()) == 1
    assert 30 < high - low < 60


def test_gantt_leaves_out_what_never_opens():
    plan = written_plan()
    plan.tables["projects"].loc[0, "opens"] = ""
    assert len(figures.gantt_table(plan)) == 11


def test_fan_is_of_the_whole_not_of_an_area():
    table = figures.shortfall_table(OUTCOMES, "primary")
    assert table.index.is_unique
    ax = axes()
    figures.shortfall_fan(ax, OUTCOMES, "primary")
    assert ax.lines[0].get_ydata()[0] == pytest.approx(400.0)
    assert "40 % of simulations of 2022" in ax.get_title()


def test_chances_show_every_target():
    ax = axes()
    figures.target_chances(ax, PLAN, OUTCOMES)
    names = [label.get_text().split(",")[0] for label in ax.get_yticklabels()]
    assert names == ["placement", "reduction", "share", "programme-build-2022"]
    chance = np.linspace(0.2, 1, 6)
    assert [bar.get_width() for bar in ax.containers[0]] == pytest.approx(chance[[0, 1, 2, 5]])
    (later,) = (line for line in ax.lines if line.get_marker() == "D")
    assert list(later.get_xdata()) == pytest.approx([chance[3]])


@pytest.mark.slow
def test_every_figure_names_its_scenario_and_has_a_title():
    drawn = figures.all_figures(PLAN, OUTCOMES)
    assert len(drawn) >= 8
    for name, figure in drawn.items():
        words = " ".join(text.get_text() for text in figure.findobj(Text))
        assert "scenario small · 0123456789" in words, name
        assert any(ax.get_title(loc="left") for ax in figure.axes), name


@pytest.mark.slow
def test_without_simulation_the_figures_of_the_plan_remain():
    assert set(figures.all_figures(PLAN)) == set(figures.all_figures(PLAN, OUTCOMES)) - {
        "shortfall",
        "chances",
    }


@pytest.mark.slow
def test_same_bytes_twice_and_no_date():
    first, second = figures.all_figures(PLAN, OUTCOMES), figures.all_figures(PLAN, OUTCOMES)
    for name in ("reduction", "programme"):
        for form in ("svg", "png"):
            content = figures.render(first[name], form)
            assert content == figures.render(second[name], form), (name, form)
            assert b"dc:date" not in content
            assert b"Matplotlib" not in content.replace(b"Matplotlib v", b"") or form == "svg"


@pytest.mark.parametrize("name", ["mix", "reduction", "private-share", "chances", "cost"])
def test_no_labels_of_an_axis_overlap(name):
    figure = figures.all_figures(PLAN, OUTCOMES)[name]
    figure.canvas.draw()
    for ax in figure.axes:
        for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
            boxes = [label.get_window_extent() for label in labels if label.get_text()]
            pairs = [(a, b) for n, a in enumerate(boxes) for b in boxes[:n]]
            assert not any(a.overlaps(b) for a, b in pairs), name


@pytest.mark.slow
def test_both_files_at_once_are_those_that_each_would_be_and_the_layout_stays_alive():
    def figure():
        made = figures.new_figure(5, 3)
        figures.private_share(made.add_subplot(), PLAN, OUTCOMES)
        return made

    both = figures.render_both(figure())
    one = figure()
    assert both == (figures.render(one, "svg"), figures.render(one, "png"))
    assert one.get_layout_engine() is not None
    one.suptitle("a title added later")
    assert figures.render(one, "png") != both[1]
