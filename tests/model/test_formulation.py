"""The sums that constraints share are those that a plan's tables show."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import capsim
from capsim.model.model import Model
from capsim.plan.solution_arrays import Solution


@pytest.fixture(scope="module")
def solved() -> tuple[Model, Solution]:
    """A small city with private schools and projects."""
    city = capsim.generate(areas=2, pupils=4000, years=(2021, 2024), seed=0)
    plan = capsim.optimize(city, gap=1e-2)
    return plan.model, Solution(plan.model.parts, plan.x)


def test_sums_at_a_solution(solved: tuple[Model, Solution]) -> None:
    model, solution = solved
    x, providers = model.parts.x, model.given.providers
    public = np.where(providers.public[:, None], solution.enrolled, x.public.value(solution.x))
    np.testing.assert_allclose(x.public_pupils.value(solution.x), public)
    seats = providers.places[:, None] + solution.seats_new
    np.testing.assert_allclose(x.seats.value(np.round(solution.x)), seats)
    pupils = np.zeros_like(public)
    np.add.at(pupils, model.columns.seats.provider, solution.x[model.columns.pupils])
    np.testing.assert_allclose(x.enrolled.value(solution.x), pupils)


def test_decisions_by_year_are_those_of_the_check_dates(solved: tuple[Model, Solution]) -> None:
    model, solution = solved
    x, dates = model.parts.x, model.given.dates
    for by_year, by_date in ((x.converted, x.converted_at), (x.open, x.open_at)):
        every = by_date.value(solution.x)
        np.testing.assert_array_equal(by_year.value(solution.x), every[:, dates.autumn])
    december = x.open_at.value(solution.x)[:, dates.december]
    since = december - x.open.value(solution.x)
    np.testing.assert_allclose(x.opened_since.value(solution.x), since)


def test_every_variable_is_an_expression_with_its_labels(solved: tuple[Model, Solution]) -> None:
    model, _ = solved
    for block in model.program.columns:
        found = getattr(model.parts.x, block.name)
        names = [text.what for axis in found.axes for text in axis.texts if text.shown]
        assert names[-1] in ("year", "date")
        assert len(names) == len(block.labels)
        assert found.exists.any()


def test_there_is_no_other_variable(solved: tuple[Model, Solution]) -> None:
    x = solved[0].parts.x
    with pytest.raises(AttributeError, match="no variable 'nothing'"):
        _ = x.nothing
    again = pickle.loads(pickle.dumps(x))
    np.testing.assert_array_equal(again.closed.exists, x.closed.exists)
