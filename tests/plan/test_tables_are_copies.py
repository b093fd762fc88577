"""No caller changes a result by its tables; plans and outcomes go through pickle and copy."""

import copy
import pickle

import pytest

import capsim
from capsim.plan.plan import Tables


@pytest.mark.slow
def test_tables_are_copies_and_results_can_be_copied():
    city = capsim.generate(2, 4000, stages=("primary", "junior"), years=(2021, 2023))
    plan = capsim.optimize(city, gap=0.01)
    for made, name in ((plan, "costs"), (capsim.simulate(plan, draws=5), "draws")):
        before = made.tables[name]
        changed = made.tables[name]
        changed.iloc[:, -1] = changed.iloc[::-1, -1].to_numpy() + 1.0
        assert made.tables[name].equals(before)
        for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
            assert again.tables[name].equals(before)
            assert again.tables == made.tables
    assert plan.tables != Tables({**plan.tables, "costs": plan.tables["costs"].iloc[1:]})
    assert plan.tables != Tables({})
