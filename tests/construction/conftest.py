"""Small programmes made by hand."""

import pandas as pd
import pytest

from capsim import Scenario


def project(name, *, kind="new", status="candidate", due="", earliest="2022-01-01", **more):
    return {
        "project": name,
        "stage": "primary",
        "area": "A",
        "kind": kind,
        "places": 900,
        "capital_cny": 1e6,
        "status": status,
        "earliest_opening": earliest,
        "due": due,
        **more,
    }


@pytest.fixture(scope="session")
def programme_of():
    """Make a scenario from project rows, and optional phases, resources and settings."""

    def make(projects, phases=None, resources=None, areas=None, **settings):
        tables = {"projects": pd.DataFrame([project(**row) for row in projects])}
        if phases is not None:
            tables["phases"] = pd.DataFrame(phases)
        if resources is not None:
            tables["resources"] = pd.DataFrame(resources)
        if areas is not None:
            tables["areas"] = pd.DataFrame(areas)
        base = {
            "name": "site",
            "horizon": {"base_year": 2021, "last_year": 2030},
            "costs": {"discount_rate": 0.04},
            "construction": {"start": "2022-01-01"},
        }
        return Scenario.from_tables({**base, **settings}, **tables)

    return make
