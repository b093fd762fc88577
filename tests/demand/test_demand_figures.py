"""The fan chart says what the projection says."""

from __future__ import annotations

import numpy as np
import pytest
from demand_tables import births, city, pupils

from capsim import project
from capsim.report.demand_figures import forecast_figure


def test_fan_shows_the_projection_and_bands_of_its_draws() -> None:
    now = pupils({(a, str(g), 2021): 300 for a in "AB" for g in range(1, 7)})
    made = city("AB", pupils=now, births=births(300), last_year=2028)
    demand = project(made, draws=64, seed=1)
    ax = forecast_figure(made, demand).axes[0]
    assert "primary" in (ax.get_title(loc="left"), ax.get_title())
    (line,) = ax.get_lines()
    assert np.asarray(line.get_ydata()) == pytest.approx(demand.pupils.sum((0, 1)))
    assert demand.draws is not None
    widest = ax.collections[0].get_paths()[0].vertices[:, 1]
    edges = np.quantile(demand.draws.sum((1, 2)), [0.025, 0.975], axis=0)
    assert [widest.min(), widest.max()] == pytest.approx([edges[0].min(), edges[1].max()])
