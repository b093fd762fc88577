"""A plan that was saved is the same plan again, or says why it is not."""

import json

import numpy as np
import pytest

import capsim

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2022)}


@pytest.fixture(scope="module")
def plan():
    city = capsim.generate(2, 6000, seed=1, name="city", **SMALL)
    return capsim.optimize(city, gap=0.05)


@pytest.fixture
def saved(plan, tmp_path):
    return plan.save(tmp_path / "plan")


@pytest.mark.slow
def test_it_is_the_same_plan(plan, saved):
    again = capsim.load_plan(saved)
    assert again.tables == plan.tables
    assert again.scenario == plan.scenario
    kept = ("status", "gap", "objective_cny", "bound_cny", "committed_cny", "solver", "relaxed")
    for name in (*kept, "asked_gap", "own_cost_cny"):
        assert getattr(again, name) == getattr(plan, name), name
    assert dict(again.timings_s) == dict(plan.timings_s)
    assert np.array_equal(again.x, plan.x)
    first, second = (capsim.certify(plan.scenario, one) for one in (plan, again))
    assert second.holds()
    assert second.table.equals(first.table)
    same = [capsim.simulate(one, draws=8, seed=3).tables for one in (plan, again)]
    assert same[0] == same[1]


def test_a_demand_of_ones_own_is_kept(plan, tmp_path):
    from dataclasses import replace

    city = plan.scenario
    projected = capsim.project(city)
    fewer = replace(projected, pupils=0.97 * projected.pupils)
    own = capsim.optimize(city, fewer, gap=0.05)
    again = capsim.load_plan(own.save(tmp_path / "own"))
    assert np.array_equal(again.demand.pupils, fewer.pupils)
    assert again.tables == own.tables
    assert again.tables != plan.tables


@pytest.mark.slow
def test_no_plan_is_kept_too(plan, tmp_path):
    hopeless = capsim.optimize(plan.scenario.variant({"policy.reduction": 5000}))
    again = capsim.load_plan(hopeless.save(tmp_path / "none"))
    assert again.status == "infeasible"
    assert len(again.tables) == 0
    assert again.explain() is not None


def test_a_scenario_that_was_changed_is_refused(saved):
    file = saved / "scenario" / "scenario.toml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("discount_rate = 0.04", "discount_rate = 0.05"), "utf-8")
    assert file.read_text("utf-8") != text or "value = 0.04" in text
    document = file.read_text("utf-8").replace("value = 0.04", "value = 0.05")
    file.write_text(document, "utf-8")
    with pytest.raises(ValueError, match=r"the content is \w{10}, but the plan was made for"):
        capsim.load_plan(saved)


@pytest.mark.parametrize("name", ["plan.json", "arrays.npz"])
def test_a_part_of_a_plan_is_refused(saved, name):
    whole = (saved / name).read_bytes()
    (saved / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="no saved plan, or a part of one"):
        capsim.load_plan(saved)
    (saved / name).unlink()
    with pytest.raises(ValueError, match="no saved plan, or a part of one"):
        capsim.load_plan(saved)


def test_another_program_is_refused(saved):
    about = json.loads((saved / "plan.json").read_text())
    (saved / "plan.json").write_text(json.dumps({**about, "program": "0" * 64}))
    with pytest.raises(ValueError, match="makes another program of this scenario"):
        capsim.load_plan(saved)


def test_rules_of_ones_own_are_not_saved(plan, tmp_path):
    model = capsim.formulate(plan.scenario)
    model.add("few", model.x.purchased.total("school") <= 1e6)
    own = capsim.optimize(model, gap=0.05)
    with pytest.raises(ValueError, match="Python code, which is not saved"):
        own.save(tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_a_folder_of_something_else_is_left_alone(plan, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    with pytest.raises(FileExistsError):
        plan.save(tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    plan.save(tmp_path / "twice")
    assert capsim.load_plan(plan.save(tmp_path / "twice")).tables == plan.tables
