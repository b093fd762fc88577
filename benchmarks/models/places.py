"""The model that every peer can state: children placed in public schools, seats built for them.

The generated scenario keeps public schools, their pupils and projects that give up no places only,
and links every area to itself and to its nearest ones. What is left of ``docs/model.md``, in
million RMB:

    min  travel x + shortfall u + running n + overfilling o + displacement d + openings z
    residence  Σ_{links from a} x + u = children
    arrival    Σ_{links to b} x = Σ_{schools in b} n
    seats      Σ_g n ≤ S + o,  o ≤ e S,  S = places + Σ places of projects · z
    stay       d ≥ ρ n[grade before, year before] − n
    opening    z[t] ≤ z[t + 1]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.sizes import Model, Size, model

if TYPE_CHECKING:
    import pandas as pd

    from capsim.scenario import Scenario

STAGES = ("primary", "junior", "senior")
FAMILIES = ("placement", "seats", "continuity")
TIGHT = 0.97
"""Share of the generated places that is there, so that building and travel have a use."""


def scenario(size: Size) -> Scenario:
    """Generate a scenario and keep its public schools."""
    from capsim.model.constraints import FAMILIES as ALL
    from capsim.scenario import Scenario, generate

    whole = generate(
        size.areas,
        size.pupils,
        kind=size.kind,
        years=(2021, size.last_year),
        stages=STAGES,
        name=f"places-{size.name}",
    )
    tables = {name: whole.table(name) for name in ("areas", "births", "pupils", "projects")}
    tables["pupils"] = tables["pupils"].query("sector == 'public'")
    schools = whole.table("schools").query("sector == 'public'")
    tables["schools"] = schools.assign(places=(schools["places"] * TIGHT).round())
    projects = tables["projects"].assign(programme="")
    gives_up = projects.loc[projects["places_given_up"] > 0, "project"]
    tables["projects"] = projects[~projects["project"].isin(gives_up)]
    tables["links"] = nearest(tables["areas"], min(size.neighbours, size.areas - 1))
    settings = {
        "name": whole.name,
        "horizon": {"base_year": 2021, "last_year": size.last_year},
        "stages": {"planned": list(STAGES), "compulsory": ["primary", "junior"]},
        "costs": {"discount_rate": 0.04},
        "switches": {name: name in FAMILIES for name in ALL},
    }
    return Scenario.from_tables(settings, **tables)


def nearest(areas: pd.DataFrame, neighbours: int) -> pd.DataFrame:
    """Link every area to itself and to its nearest others; the cost comes from the kilometres."""
    import pandas as pd
    from scipy.spatial import KDTree

    at = areas[["x_km", "y_km"]].to_numpy(np.float64)
    found = KDTree(at).query(at, k=np.arange(2, neighbours + 2))[1]
    here = np.arange(len(areas))[:, None]
    pairs = np.hstack([here, found]).ravel()
    names = areas["area"].to_numpy(object)
    return pd.DataFrame(
        {
            "area": np.repeat(names, neighbours + 1),
            "to_area": names[pairs],
            "to_school": "",
            "stage": "",
        }
    )


model(Model("places", scenario))
model(Model("places-milp", scenario, integer=True))
