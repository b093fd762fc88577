"""Map, class sizes and tornado; fonts; names that a figure must survive; how figures look."""

import warnings
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hostile import hostile_plan
from looks import APART, apart, reaches_edge
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text
from scipy.stats import norm
from small_plan import written_outcomes, written_plan

from capsim.report import figures
from capsim.report.figures import style as fonts
from capsim.report.figures.places import KINDS, TERMS
from capsim.report.figures.style import SEATS, STYLE, new_figure, render

PLAN = written_plan()
OUTCOMES = written_outcomes(PLAN)


def axes():
    return Figure(layout="constrained").add_subplot()


def test_map_has_what_is_lacking_and_flows_between_places():
    table = figures.map_table(PLAN, 2022)
    assert table.loc["C01-A", "lacking"] == pytest.approx(40.0)
    assert table.loc["C01-B", "lacking"] == table.loc["C01-B", "shortfall"] == pytest.approx(14.0)
    assert table.loc["C02-B", "children"] == 1500.0
    flows = figures.flow_table(PLAN, 2022)
    # to S2 nobody moves: it stands in the children's own area
    assert flows[["area", "to", "pupils"]].to_numpy().tolist() == [
        ["C01-A", "C01-B", 40.0],
        ["C01-B", "S1", 25.0],
    ]
    assert flows.loc[0, ["x0", "x1"]].tolist() == [10.0, 13.0]
    ax = axes()
    figures.place_map(ax, PLAN, 2022)
    assert sum(isinstance(patch, FancyArrowPatch) for patch in ax.patches) == 2


def test_without_coordinates_there_is_no_map():
    plan = written_plan()
    areas = plan.scenario.given["tables_in"]["areas"]
    plan.scenario.given["tables_in"]["areas"] = areas.assign(x_km=np.nan, y_km=np.nan)
    assert "map" not in figures.all_figures(plan)


def test_class_sizes_are_normal_about_each_schools_mean():
    table = figures.class_size_table(PLAN, 2025)
    assert table.sum().to_numpy() == pytest.approx(1.0, abs=1e-6)
    large = table[table.index >= 56].sum()
    # every school of the plan has 46 pupils a class
    assert large.to_numpy() == pytest.approx(1 - norm.cdf((55.5 - 46) / 5), abs=1e-6)
    ax = axes()
    figures.class_sizes(ax, PLAN, 2025)
    assert ax.get_legend().get_texts()[0].get_text() == "primary: 2.87 % large"


def test_tornado_is_widest_on_top():
    table = pd.DataFrame(
        {
            "what": ["births", "discount rate"],
            "low": [0.9, 0.02],
            "high": [1.1, 0.06],
            "low_result": [95.0, 120.0],
            "high_result": [105.0, 80.0],
        }
    )
    ax = axes()
    figures.tornado(ax, table, 100.0, "million RMB", "What moves the cost")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["discount rate", "births"]
    assert [bar.get_width() for bar in ax.containers[0]] == pytest.approx([20.0, -5.0])
    with pytest.raises(ValueError, match="at least one input"):
        figures.tornado(axes(), table.head(0), 0.0, "", "")


HAS_CHINESE = pytest.mark.skipif(
    fonts.chinese_font() is None, reason="no font with Chinese is installed"
)


@pytest.mark.slow
@HAS_CHINESE
def test_chinese_figures_say_chinese_and_have_its_glyphs():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, figure in figures.all_figures(PLAN, OUTCOMES, lang="zh").items():
            words = " ".join(text.get_text() for text in figure.findobj(Text))
            assert "情景 small" in words, name
            assert any("\u4e00" <= one <= "\u9fff" for one in words), name
            if name in ("mix", "programme"):
                assert render(figure, "png")


def test_one_warning_says_what_no_font_can_draw():
    with mpl.rc_context(STYLE):
        figure = new_figure(4, 2)
        figure.add_subplot().set_title("🏫🏠🏫")
    with pytest.warns(UserWarning, match="no installed font has the characters") as caught:
        render(figure, "png")
    assert len(caught) == 1


def test_without_a_chinese_font_one_line_says_which_to_install(monkeypatch):
    monkeypatch.setitem(STYLE, "font.family", [fonts.LATIN])
    with mpl.rc_context(STYLE):
        figure = new_figure(4, 2)
        figure.add_subplot().set_title("第一实验小学")
    with pytest.warns(UserWarning, match="fonts-wqy-microhei") as caught:
        render(figure, "png")
    assert len(caught) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no installed font has the characters")
def test_names_with_markup_formulas_and_200_characters_are_drawn():
    plan, outcomes = hostile_plan()
    drawn = figures.all_figures(plan, outcomes)
    for name in ("balance-2022", "map", "programme"):
        elements = list(ElementTree.fromstring(render(drawn[name], "svg")).iter())
        assert not [one for one in elements if "script" in str(one.tag)]
        assert not [key for one in elements for key in one.attrib if key.startswith("on")]
    labels = [text.get_text() for text in drawn["programme"].findobj(Text)]
    assert "=1+1" in labels
    assert max(len(label) for label in labels if label.startswith("长")) <= 28


PICTURES = (
    "reduction mix private-share balance-2022 map class-size cost programme shortfall chances"
)


@pytest.mark.parametrize("name", PICTURES.split())
def test_figures_look_as_they_did(name):
    assert apart(DRAWN[name], name) < APART


DRAWN = figures.all_figures(PLAN, OUTCOMES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lang", "counties", "projects"), [("en", 2, 12), pytest.param("zh", 14, 30, marks=HAS_CHINESE)]
)
def test_nothing_is_cut_at_the_edge(lang, counties, projects):
    plan = written_plan(counties, projects)
    for name, figure in figures.all_figures(plan, written_outcomes(plan), lang=lang).items():
        assert not reaches_edge(figure), name


def test_what_is_cut_is_seen():
    figure = figures.new_figure(3, 2)
    figure.text(0.1, 0.5, "x" * 80)
    assert reaches_edge(figure)


@pytest.mark.slow
def test_a_changed_figure_is_seen(monkeypatch):
    monkeypatch.delenv("CAPSIM_BASELINES", raising=False)
    other = written_plan()
    other.tables["reduction"] = other.tables["reduction"].assign(purchased=5.0, total=190.0)
    assert apart(figures.all_figures(other)["reduction"], "reduction") > APART


@pytest.mark.parametrize("looks", ["SEATS", "KINDS", "TERMS"])
def test_series_are_told_apart_in_greyscale(looks):
    table = {"SEATS": SEATS, "KINDS": KINDS, "TERMS": TERMS}[looks]
    shades = {}
    for name, look in table.items():
        red, green, blue = mpl.colors.to_rgb(look.colour)
        shades[name] = (round((0.299 * red + 0.587 * green + 0.114 * blue) * 8), look.hatch)
    assert len(set(shades.values())) == len(shades)
