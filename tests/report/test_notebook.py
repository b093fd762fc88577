"""What a notebook shows: short words, a card that claims no more than is known, figures by name."""

import re
from inspect import signature
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest
from matplotlib.figure import Figure

import capsim
from capsim.io.shown import F, Shown
from capsim.report.figures import reduction
from capsim.report.notebook import card

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2023)}


@pytest.fixture(scope="module")
def city():
    return capsim.generate(2, 6000, seed=1, name="city", **SMALL)


@pytest.fixture(scope="module")
def plan(city):
    return capsim.optimize(city, gap=0.05)


@pytest.fixture(scope="module")
def outcomes(plan):
    return capsim.simulate(plan, draws=40, seed=1)


@pytest.fixture(scope="module")
def hardened(city, plan):
    how = {"draws": 64, "fresh_draws": 64, "rounds": 1, "gap": 0.05}
    return capsim.harden(city, plain=plan, **how)


@pytest.fixture(scope="module")
def compared(city):
    fewer = city.variant(scale={"births.births": 0.9})
    return capsim.compare({"today": city, "fewer": fewer}, draws=0, gap=0.05)


@pytest.fixture(scope="module")
def results(city, plan, outcomes, hardened, compared):
    return [city, capsim.project(city, draws=8), plan, outcomes, hardened, compared]


def test_words_are_a_few_lines(results):
    for one in results:
        assert len(repr(one)) < 500, type(one)
        assert len(repr(one).splitlines()) <= 8
        assert "array(" not in repr(one)


def test_a_card_is_in_the_language_that_is_asked_for(results):
    for one in results:
        english, chinese = one.card("en")._repr_html_(), one.card("zh")._repr_html_()
        assert 'lang="en"' in english
        assert 'lang="zh-Hans"' in chinese
        assert re.search("[一-龥]", chinese)
        assert not re.search("[一-龥]", english), type(one)
    with pytest.raises(ValueError, match="language 'fr'"):
        results[0].card("fr")
    with pytest.raises(TypeError, match="no card of a int"):
        card(3)


def test_a_scenario_titled_in_chinese_alone_has_its_cards_in_chinese(city):
    titled = city.variant({"title": "", "title_zh": "某市"})
    assert 'lang="zh-Hans"' in titled._repr_html_()
    assert "某市" in titled._repr_html_()
    assert 'lang="en"' in city.variant({"title_zh": "某市"})._repr_html_()


def test_what_was_not_simulated_is_met_on_paper_at_most(plan, compared):
    for shown in (plan.card("en"), compared.card("en")):
        html = shown._repr_html_()
        assert not re.search(r"\bholds?\b", html)
        assert "on paper" in html
        assert "#00664b" not in html  # no green


def test_green_is_for_what_holds_as_often_as_asked(plan, outcomes):
    asked = plan.scenario.settings.reliability.probability
    table = outcomes.targets.set_index("id")
    rare = table["probability"] < asked
    rows = outcomes.card("en").rows
    assert {row.cells[-1] for row in rows} <= {"holds", "on paper", "MISSED"}
    for row in rows:
        chance = float(row.cells[-2].removesuffix(" %")) / 100
        assert (row.tone == "good") == (row.cells[-1] == "holds")
        if row.tone == "good":
            assert chance >= asked - 0.005
    assert rare.any() == any(row.tone != "good" for row in rows)
    sure = plan.scenario.variant({"reliability.probability": 0.9999})
    strict = capsim.simulate(capsim.optimize(sure, gap=0.05), draws=40, seed=1)
    below = strict.targets["probability"] < 0.9999
    if below.any():
        assert strict.card().tone != "good"


def test_a_missed_target_and_no_plan_are_told_first(city):
    hopeless = capsim.optimize(city.variant({"policy.reduction": 5000}))
    assert "none meets what is ordered" in repr(hopeless)
    assert hopeless.card("en").tone == "bad"
    assert "NO PLAN" in hopeless._repr_html_()
    assert dir(hopeless.plot) == []
    with pytest.raises(ValueError, match="there is no plan to write"):
        hopeless.to_excel("never.xlsx")


def test_names_from_the_data_are_escaped(city):
    odd = city.variant({"title": "<b>x</b>"})
    assert "<b>x</b>" not in odd._repr_html_()
    assert "&lt;b&gt;x" in odd._repr_html_()


@pytest.mark.slow
def test_every_figure_that_is_offered_is_drawn(results):
    for one in results:
        for name in dir(one.plot):
            figure = getattr(one.plot, name)()
            assert isinstance(figure, Figure), name
            assert figure.axes
    drawn = results[2].plot.mix()._repr_png_()
    assert drawn.startswith(b"\x89PNG")


def test_figures_are_named_as_they_are_offered(plan, outcomes, hardened, compared):
    assert {"reduction", "mix", "private_share", "balance", "cost"} <= set(dir(plan.plot))
    assert set(dir(outcomes.plot)) == {*dir(plan.plot), "shortfall", "chances"}
    assert "safety" in dir(hardened.plot)
    assert {"mix", "cost"} <= set(dir(compared.plot))
    with pytest.raises(AttributeError, match="no figure 'mixx'; did you mean 'mix'"):
        plan.plot.mixx()


@pytest.mark.slow
def test_figures_are_typed_as_they_are_offered(results):
    """A checker and an editor know every name, with what it takes, and no other."""
    for one in results:
        known = get_type_hints(type(one.plot))
        assert set(dir(one.plot)) <= set(known)
        assert get_type_hints(type(one).plot.fget) == {"return": F}
        for name in dir(one.plot):
            call = signature(known[name].__call__)
            wanted = list(call.parameters)[1:]
            assert set(wanted) <= set(signature(getattr(one.plot, name)).parameters)
        (base,) = (base for base in type(one).__orig_bases__ if get_origin(base) is Shown)
        assert get_args(base) == (type(one.plot),)


def test_a_figure_is_a_plain_function_too_or_draws_on_axes(plan):
    figure = reduction(plan)
    assert isinstance(figure, Figure)
    again = plan.plot.reduction()
    heights = [[bar.get_height() for bar in f.axes[0].patches] for f in (figure, again)]
    assert np.allclose(*heights)
    ax = Figure().add_subplot()
    assert reduction(ax, plan) is None
    assert len(ax.patches) == len(figure.axes[0].patches)


def test_tables_and_names_are_offered(plan, outcomes, compared):
    assert plan.targets.equals(plan.tables["targets"])
    assert outcomes.targets.equals(outcomes.tables["targets"])
    assert compared.summary.equals(compared.tables["summary"])
    assert plan.summary["scenario"]["name"] == "city"
    with pytest.raises(KeyError, match="did you mean 'purchases'"):
        plan.tables["purchase"]
    assert plan.tables._ipython_key_completions_() == list(plan.tables)
    for one in (plan, outcomes, compared, capsim):
        assert [name for name in dir(one) if name.startswith("_")] == []
    assert set(dir(capsim)) == set(capsim.__all__)


@pytest.mark.slow
def test_report_and_workbook_are_written_from_the_result(plan, outcomes, tmp_path):
    import openpyxl

    book = plan.to_excel(tmp_path / "plan.xlsx")
    assert openpyxl.load_workbook(book, read_only=True).sheetnames[0] == "summary"
    alone, drawn = plan.report(tmp_path / "alone"), outcomes.report(tmp_path / "drawn", lang="zh")
    assert (alone / "report.html").is_file()
    assert not (alone / "outcomes").exists()
    assert (drawn / "outcomes" / "targets.csv").is_file()
    assert 'lang="zh-Hans"' in (drawn / "report.html").read_text("utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    with pytest.raises(FileExistsError):
        plan.report(tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep"


def test_scenarios_by_name_are_compared_under_it(city, compared):
    assert list(compared.results) == ["today", "fewer"]
    assert compared.scenarios["today"].name == "today"
    with pytest.raises(TypeError, match="two or more scenarios"):
        capsim.compare(city)
