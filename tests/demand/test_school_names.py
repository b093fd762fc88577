"""Names that are one, written in several ways; totals among areas; units and years of tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capsim.demand import Panel, panel
from capsim.demand.school_names import matched, spellings, sums
from capsim.i18n.language import words
from capsim.scenario.faults import ScenarioError

SCHOOLS = ("Adams Elementary School", "Oak Elementary School", "St Mary's Elementary School")
GRADES = ("K", "1", "2")


def sound() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = [(s, y, *rng.integers(40, 90, 3)) for y in range(2018, 2023) for s in SCHOOLS]
    return pd.DataFrame(rows, columns=["School", "Year", *GRADES])


SOUND = sound()
PLAIN = panel(SOUND)


def read(frame: pd.DataFrame, above: str = "", below: str = "") -> Panel:
    return panel((above + frame.to_csv(index=False) + below).encode(), name="t.csv")


def same(found: Panel) -> str:
    assert found.years == PLAIN.years
    assert len(found.areas) == len(SCHOOLS)
    assert np.allclose(found.pupils, PLAIN.pupils)
    for note in found.notes:
        assert note.text(words("zh"))
    return "\n".join(map(str, found.notes))


def from_2020(change: tuple[str, str]) -> pd.DataFrame:
    later = SOUND["Year"] >= 2020
    names = SOUND["School"].where(~later, SOUND["School"].str.replace(*change))
    return SOUND.assign(School=names)


@pytest.mark.parametrize(
    "change",
    [("School", "School*"), ("School", "School (1)"), ("School", "School²"), ("'", "’"),
     ("Elementary School", "ES"), ("St M", "St. M")],
    ids=str,
)  # fmt: skip
def test_names_written_otherwise_from_a_year_on(change: tuple[str, str]) -> None:
    assert "written in several ways over the years" in same(read(from_2020(change)))


def test_names_that_stand_in_one_year_are_two() -> None:
    names = np.array(["Oak ES", "Oak Elementary", "Elm", "elm"], dtype=object)
    to, clashes = spellings(names, np.array([2020.0] * 4))
    assert to == {}
    assert clashes == [(("Elm", "elm"), 2020)]


def test_a_second_row_of_a_school_is_named() -> None:
    found = matched(["Oak ES", "Elm"], ["Oak ES", "OAK Elementary School", "Elm", "Ash"])
    assert found.again == (("Oak ES", "OAK Elementary School"),)
    assert found.left == ("Ash",)
    assert "one row for each school" in str(found.faults("capacity.csv", "School")[0])


def with_sums(layout: str) -> pd.DataFrame:
    """Put sums of the first two schools (Z), and of all (W), among the rows of each year."""
    parts = []
    for year, rows in SOUND.groupby("Year"):
        of = {name: rows.iloc[[at]] for at, name in enumerate("abc")}
        for name, some in (("Z", "ab"), ("W", "abc")):
            total = pd.concat([of[one] for one in some])[list(GRADES)].sum()
            label = {"Z": "Northern zone", "W": "Maryland"}[name]
            of[name] = pd.DataFrame([(label, year, *total)], columns=SOUND.columns)
        parts += [of[one] for one in layout]
    return pd.concat(parts)


@pytest.mark.parametrize("layout", ["abZcW", "WZabc", "abcZW", "ZabcW", "abZc"])
def test_sums_of_parts_are_left_out(layout: str) -> None:
    told = same(read(with_sums(layout)))
    assert "left out as" in told
    assert "Northern zone" in told


def test_a_sum_in_some_cells_is_no_total() -> None:
    table = np.arange(24.0).reshape(3, 8, 1) + 1
    table[2] = table[:2].sum(0)
    none = np.zeros(table.shape, bool)
    assert sums(table, none, range(3)).tolist() == [False, False, True]
    table[2, 0] += 1
    assert not sums(table, none, range(3)).any()


@pytest.mark.parametrize(
    ("unit", "size"), [("thousands", 1000), ("百人", 100), ("persons", 1), ("万人", 10_000)]
)
def test_a_unit_in_headers_scales(unit: str, size: int) -> None:
    heads = {grade: f"{grade} ({unit})" for grade in GRADES}
    cells = SOUND[list(GRADES)] / size
    told = same(read(SOUND.assign(**cells).rename(columns=heads)))
    assert ("times" in told) == (size > 1)
    long = SOUND.assign(**cells).melt(["School", "Year"], var_name="Grade", value_name="Pupils")
    same(read(long.rename(columns={"Pupils": f"Pupils ({unit})"})))


@pytest.mark.parametrize(
    "text", ["单位：万人", "Enrolment (in thousands)", "in hundreds of pupils"]
)
def test_a_unit_above_or_under_the_table_is_refused(text: str) -> None:
    for place in ({"above": f"{text}\n"}, {"below": f"{text}\n"}):
        with pytest.raises(ScenarioError, match="in the header of their column"):
            read(SOUND, **place)
    same(read(SOUND, above="单位：人\n"))
    same(read(SOUND, above="Thousand Oaks Unified School District\n"))


def test_years_named_by_their_end() -> None:
    for head in ("School Year Ending", "end_year", "Spring"):
        later = SOUND.assign(Year=SOUND["Year"] + 1).rename(columns={"Year": head})
        assert "'2019' is the one that began in 2018" in same(read(later))
    cells = SOUND.assign(Year=[f"Spring {year + 1}" for year in SOUND["Year"]])
    assert "'Spring 2019' is the one that began in 2018" in same(read(cells))
    spans = SOUND.assign(Year=[f"{year}/{(year + 1) % 100}" for year in SOUND["Year"]])
    same(read(spans.rename(columns={"Year": "Year ending"})))


def test_the_column_of_pupils_is_the_one_that_says_so() -> None:
    long = SOUND.melt(["School", "Year"], var_name="Grade", value_name="Enrollment")
    same(read(long.assign(Count=1)[["School", "Year", "Grade", "Count", "Enrollment"]]))
    with pytest.raises(ScenarioError, match="one column of pupils, of Students, Enrollment"):
        read(long.assign(Students=1)[["School", "Year", "Grade", "Students", "Enrollment"]])


def test_a_column_of_row_numbers_is_left_out() -> None:
    assert "row numbers" in same(panel(SOUND.to_csv().encode(), name="t.csv"))
    with pytest.raises(ScenarioError, match="a header over the cells"):
        panel(SOUND.set_index("1", drop=False).to_csv(index_label="").encode(), name="t.csv")


def test_small_totals_beside_their_parts_are_found_in_a_large_table() -> None:
    """Below two of its parts, and above three; 600 other schools are larger than either."""
    pupils = np.random.default_rng(3).poisson(40, (1200, 13, 2)).astype(float)
    pupils[:600] *= 10
    pupils[700] = pupils[698:700].sum(0)
    pupils[900] = pupils[901:904].sum(0)
    found = sums(pupils, np.zeros(pupils.shape, bool), range(1200))
    assert np.flatnonzero(found).tolist() == [700, 900]
