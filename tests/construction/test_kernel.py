"""SimPy and the fast kernel give the same dates to the last bit, and both are right."""

import numpy as np
import pytest
from hypothesis import given, settings
from random_programmes import programmes

from benchmarks.schedule_check import faults_of
from capsim.construction import kernel
from capsim.construction import simpy_model as engine
from capsim.construction.calendars import Calendar
from capsim.construction.network import Network, Resource


def chain(days, *, needs=None, resources=(), release=None, calendar=None, start=0.0):
    """Independent activities, one per column."""
    n = len(days[0])
    return Network(
        start,
        tuple(range(n)),
        tuple(f"p{i}" for i in range(n)),
        ((),) * n,
        needs or ((),) * n,
        release or (start,) * n,
        calendar or (None,) * n,
        resources,
    )


@settings(max_examples=150)
@given(programmes())
def test_kernel_equals_simpy_to_the_last_bit(case):
    network, days, key = case
    slow = engine.simulate(network, days, key)
    fast = kernel.simulate(network, days, key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "LOCKSTEP_RUNS", 1)
        patch.setattr(kernel, "LOCKSTEP_ENTRIES", 3 * network.size)
        steps = kernel.simulate(network, days, key)
    for a, b, c in zip(slow[:2], fast[:2], steps[:2], strict=True):
        assert a.tobytes() == b.tobytes() == c.tobytes()


@settings(max_examples=100)
@given(programmes())
def test_no_resource_is_overused_and_precedence_holds(case):
    network, days, key = case
    start, finish, _ = kernel.simulate(network, days, key)
    for k in range(len(days)):
        assert faults_of(network, start[k], finish[k], days[k]) == []


def test_checker_finds_what_is_wrong():
    network = chain(
        [[5.0, 5.0]], needs=(((0, 1),), ((0, 1),)), resources=(Resource("crew", "a", 1),)
    )
    wrong = faults_of(network, np.array([0.0, 4.0]), np.array([5.0, 9.0]), np.array([5.0, 5.0]))
    assert len(wrong) == 1
    assert "crew" in wrong[0]
    short = faults_of(network, np.array([0.0, 5.0]), np.array([5.0, 9.0]), np.array([5.0, 5.0]))
    assert len(short) == 1
    assert "lasts" in short[0]


def test_two_units_wait_for_one_that_holds_them():
    network = chain(
        [[4.0, 3.0, 2.0]],
        needs=(((0, 2),), ((0, 1),), ((0, 2),)),
        resources=(Resource("crew", "a", 2),),
    )
    start, finish, cause = kernel.simulate(network, np.array([[4.0, 3.0, 2.0]]), [0.0, 1.0, 2.0])
    assert start.tolist() == [[0.0, 4.0, 7.0]]
    assert finish.tolist() == [[4.0, 7.0, 9.0]]
    assert cause.tolist() == [[-1, 0, 0]]


def test_money_by_quarter_holds_the_second_school():
    network = chain(
        [[10.0, 10.0, 10.0]],
        needs=(((0, 5),),) * 3,
        resources=(Resource("money", "*", 0, ((0.0, 5), (90.0, 5))),),
    )
    _, finish, cause = kernel.simulate(network, np.array([[10.0, 10.0, 10.0]]), None)
    assert finish[0, :2].tolist() == [10.0, 100.0]
    assert np.isnan(finish[0, 2])
    assert cause.tolist() == [[-1, 0, -1]]


def test_who_never_begins_in_one_replication_may_in_another():
    """Money for one; who gets it goes by luck, and the crew of all is short for that one alone."""
    network = Network(
        0.0,
        (0, 1, 0, 1, 2),
        ("before_a", "before_b", "a", "b", "other"),
        ((), (), (0,), (1,), ()),
        ((), (), ((0, 1), (1, 1)), ((0, 1),), ((1, 1),)),
        (0.0,) * 5,
        (None,) * 5,
        (Resource("money", "c", 0, ((0.0, 1),)), Resource("crew", "*", 1)),
    )
    days = np.array([[5.0, 2.0, 10.0, 10.0, 20.0], [2.0, 5.0, 10.0, 10.0, 20.0]])
    for key in (None, [0.0, 1.0, 2.0, 3.0, 4.0]):
        slow, fast = (one.simulate(network, days, key)[1] for one in (engine, kernel))
        assert slow.tobytes() == fast.tobytes()


def test_winter_stops_work():
    winter = Calendar.from_spans([(10.0, 40.0)])
    network = chain([[15.0]], calendar=(winter,))
    assert kernel.simulate(network, np.array([[15.0]]), None)[1].tolist() == [[45.0]]
    network = chain([[15.0]], calendar=(winter,), start=20.0)
    assert kernel.simulate(network, np.array([[15.0]]), None)[1].tolist() == [[55.0]]


def test_need_above_what_there_is_is_refused():
    with pytest.raises(ValueError, match=r"needs 3 of 'crew' in county 'a', which has 2"):
        chain([[1.0]], needs=(((0, 3),),), resources=(Resource("crew", "a", 2),))


@pytest.mark.parametrize(
    ("servers", "load"), [pytest.param(1, 0.7, marks=pytest.mark.slow), (3, 0.8)]
)
def test_queue_matches_theory(servers, load):
    """M/M/c: mean wait by Erlang's formula, within its 99 % interval over replications."""
    rng = np.random.default_rng(5)
    runs, size = 40, 1800
    waits = []
    arrival = load * servers
    for _ in range(runs):
        release = np.cumsum(rng.exponential(1 / arrival, size))
        network = chain(
            [[0.0] * size],
            needs=(((0, 1),),) * size,
            resources=(Resource("crew", "*", servers),),
            release=tuple(release),
        )
        days = rng.exponential(1.0, (1, size))
        start, _, _ = kernel.simulate(network, days, None)
        waits.append(float((start[0] - release)[300:].mean()))
    terms = [arrival**k for k in range(servers)]
    factorial = [1.0]
    for k in range(1, servers + 1):
        factorial.append(factorial[-1] * k)
    top = arrival**servers / factorial[servers] / (1 - load)
    erlang = top / (sum(t / f for t, f in zip(terms, factorial, strict=False)) + top)
    theory = erlang / (servers - arrival)
    mean, half = np.mean(waits), 2.7079 * np.std(waits, ddof=1) / runs**0.5  # t, 39 degrees
    assert abs(mean - theory) <= half
    assert half < 0.15 * theory


@pytest.mark.parametrize("seed", [1])
def test_queue_matches_theory_through_simpy(seed):
    rng = np.random.default_rng(seed)
    release = np.cumsum(rng.exponential(1 / 0.7, 2000))
    network = chain(
        [[0.0] * 2000],
        needs=(((0, 1),),) * 2000,
        resources=(Resource("crew", "*", 1),),
        release=tuple(release),
    )
    days = rng.exponential(1.0, (1, 2000))
    assert engine.simulate(network, days, None)[0].tobytes() == (
        kernel.simulate(network, days, None)[0].tobytes()
    )
