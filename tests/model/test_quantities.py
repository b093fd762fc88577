"""Quantities by label: what is matched, what is refused, and the numbers that come out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capsim.lp.expressions import Constraint, Expression
from capsim.lp.labels import Axis, Texts
from capsim.model.labelled_variables import Quantity

YEARS = np.array([2022, 2023, 2024], object)
SCHOOLS = np.array(["S1", "S2", "S3"], object)
COUNTIES = np.array(["north", "south"], object)
OF_COUNTY = np.array([0, 1, 1])
X = np.arange(1.0, 10.0)
"""Pupils of S1 in 2022, 2023, 2024, then of S2 and S3: 1 to 9."""


def axis_of(what, names):
    return Axis((Texts(what, np.asarray(names, object)),))


@pytest.fixture
def pupils() -> Quantity:
    schools = Axis((Texts("school", SCHOOLS), Texts("county", COUNTIES, OF_COUNTY, shown=False)))
    columns = np.arange(9).reshape(3, 3)
    return Quantity(Expression.of(columns, (schools, axis_of("year", YEARS))))


def left_of(rule: Constraint) -> list:
    return rule.left.value(X).round(9).tolist()


def test_cut_and_added_up_by_label(pupils: Quantity) -> None:
    assert pupils.at(school="S2").value(X).tolist() == [4, 5, 6]
    assert pupils.at(county="south", year=2023).value(X).tolist() == [5, 8]
    assert pupils.at(school=["S1", "S3"], year=2024).value(X).tolist() == [3, 9]
    assert pupils.total("school").value(X).tolist() == [12, 15, 18]
    assert pupils.total("county").value(X).tolist() == [12, 15, 18]
    assert pupils.total().value(X).tolist() == [45]
    by_county = pupils.by("county").value(X)
    assert by_county[("south", 2023)] == 13
    assert by_county.index.names == ["county", "year"]
    assert pupils.previous(7.0).at(school="S1").value(X).tolist() == [7, 1, 2]
    assert pupils.total("school")[1:].value(X).tolist() == [15, 18]


def test_by_labels_of_every_member(pupils: Quantity) -> None:
    periods = pd.Series({2022: "early", 2023: "late", 2024: "late"}, name="period")
    periods.index.name = "year"
    periods_of_schools = pupils.by(periods).value(X)
    assert periods_of_schools.index.names == ["period", "school"]
    assert periods_of_schools[("late", "S2")] == 5 + 6
    assert pupils.total("school").by(periods).value(X).to_dict() == {("early",): 12, ("late",): 33}
    names = np.array([["a", None, "b"]] * 3, object)
    assert pupils.by(names).value(X).to_list() == [12, 18]


def test_data_by_label_not_by_position(pupils: Quantity) -> None:
    weights = pd.Series([30.0, 10.0, 20.0], pd.Index(["S3", "S1", "S2"], name="school"))
    assert (pupils * weights).total("school", "year").value(X).tolist() == [
        6 * 10 + 15 * 20 + 24 * 30
    ]
    bought = pd.Series(1.0, pd.MultiIndex.from_product([YEARS, SCHOOLS], names=["year", "school"]))
    bought[(2024, "S2")] = 5.0
    assert left_of(pupils <= bought)[1] == [3, 4, 1]
    frame = bought.reset_index(name="n").pivot_table(index="school", columns="year", values="n")
    assert left_of(pupils <= frame) == left_of(pupils <= bought)


def test_a_side_with_fewer_labels_is_repeated(pupils: Quantity) -> None:
    rule = pupils <= 0.5 * pupils.by("county")
    assert left_of(rule)[1] == [4 - 5.5, 5 - 6.5, 6 - 7.5]
    rule = pupils.total("school") >= pupils
    assert rule.left.shape == (3, 3)
    assert left_of(rule)[2] == [12 - 7, 15 - 8, 18 - 9]
    (first, *_), *_ = (rule.rows().labels[i] for i in range(2))
    assert first == "S1"


def test_years_cut_by_position_are_matched_by_position(pupils: Quantity) -> None:
    total = pupils.total("school")
    rule = 3 * total[1:] <= 2 * total[:-1]
    assert left_of(rule) == [45 - 24, 54 - 30]
    assert rule.rows().labels[0].tolist() == [2023, 2024]
    with pytest.raises(ValueError, match=r"cut by position, \(2,\) stands beside \(3,\)"):
        _ = total[1:] <= total


def test_what_is_refused_says_why(pupils: Quantity) -> None:
    with pytest.raises(ValueError, match="no label 'shool' here: expected one of school, county"):
        pupils.total("shool")
    with pytest.raises(ValueError, match="there is no school 'S4': expected S3"):
        pupils.at(school="S4")
    with pytest.raises(ValueError, match="nothing is school 'S1' and county 'south' at once"):
        pupils.at(school="S1", county="south")
    with pytest.raises(ValueError, match="there are no years here"):
        pupils.total("year").previous(0)
    with pytest.raises(TypeError, match="not linear"):
        _ = pupils * pupils
    with pytest.raises(ValueError, match=r"no value for school 'S2'$"):
        _ = pupils <= pd.Series([1.0, 2.0], pd.Index(["S1", "S3"], name="school"))
    with pytest.raises(ValueError, match="name the index of a series"):
        _ = pupils <= pd.Series([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="one side has school 'S1' and the other has not"):
        _ = pupils.at(school=["S2", "S3"]) <= pupils
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(pupils <= 3)


def test_data_on_the_left_are_matched_by_label(pupils: Quantity) -> None:
    most = pd.Series([30.0, 10.0, 20.0], pd.Index(["S3", "S1", "S2"], name="school"))
    frame = pd.DataFrame(dict.fromkeys(YEARS, most)).rename_axis(columns="year")
    for left in (most, frame):
        assert left_of(left >= pupils) == left_of(pupils <= most)
        assert (left * pupils).value(X).tolist() == (pupils * most).value(X).tolist()
    array = np.full((3, 3), 2.0)
    assert left_of(array >= pupils) == left_of(pupils <= 2.0)
    assert left_of(pupils <= array.tolist()) == left_of(pupils <= 2.0)


@pytest.mark.slow  # xarray comes with the peers, which the unmarked tests do without
def test_labelled_arrays_are_matched_by_label(pupils: Quantity) -> None:
    xarray = pytest.importorskip("xarray")
    most = pd.Series([30.0, 10.0, 20.0], pd.Index(["S3", "S1", "S2"], name="school"))
    assert left_of(pupils <= xarray.DataArray(most)) == left_of(pupils <= most)


def test_unsigned_numbers_and_flags_are_numbers(pupils: Quantity) -> None:
    most = pd.Series(np.array([3, 3, 3], np.uint8), pd.Index(SCHOOLS, name="school"))
    assert left_of(pupils <= most) == left_of(pupils <= 3)
    assert left_of(pupils <= np.ones((3, 3), bool)) == left_of(pupils <= 1)
    assert left_of(Expression.of(np.arange(9)) <= np.full(9, 3, np.uint8))[0] == 1 - 3


@pytest.mark.parametrize("number", [np.nan, np.inf, None])
def test_numbers_that_are_missing_or_infinite_are_refused(pupils: Quantity, number: float) -> None:
    for use in (pupils.__le__, pupils.__mul__, pupils.__truediv__, pupils.previous):
        with pytest.raises(ValueError, match=r"missing \(NaN\) or infinite"):
            use(number)
    with pytest.raises(ValueError, match="divided by 0"):
        _ = pupils / np.zeros((3, 3))


def test_positions_that_may_mean_two_things_are_refused(pupils: Quantity) -> None:
    with pytest.raises(ValueError, match=r"data of shape \(3,\) beside .*: give a Series by label"):
        _ = pupils <= np.ones(3)
    with pytest.raises(ValueError, match="data of shape"):
        _ = pupils <= np.ones((2, 3))
    with pytest.raises(ValueError, match="only years are cut by position"):
        _ = pupils.at(school=["S1", "S2"])[1:] <= pupils.at(school=["S2", "S3"])[:-1]
    with pytest.raises(ValueError, match="years are left out here"):
        pupils.at(year=[2022, 2024]).previous(0)


def test_labels_are_chosen_as_a_set_too_and_have_their_type(pupils: Quantity) -> None:
    assert pupils.at(school={"S1", "S3"}, year=2024).value(X).tolist() == [3, 9]
    with pytest.raises(ValueError, match="there is no year '2024' of type str: expected 2024"):
        pupils.at(year="2024")
    with pytest.raises(ValueError, match="there is no year slice"):
        pupils.at(year=slice(2022, 2023))


def test_the_date_before_is_the_date_before() -> None:
    dates = np.array(["2022-09-01", "2022-12-31", "2023-09-01", "2024-09-01"], object)
    used = Quantity(Expression.of(np.arange(4), [Axis.of(date=dates)]))
    used.previous(0.0)
    used.at(date=["2022-12-31", "2023-09-01"]).previous(0.0)
    used[1:].previous(0.0)
    for gaps in (used.at(date=["2022-09-01", "2023-09-01"]), used[::2]):
        with pytest.raises(
            ValueError, match=r"dates are left out here: take \.previous\(\) before"
        ):
            gaps.previous(0.0)
