"""One city's children from births to a fan chart: entry, progression, variants, sectors.

Usage: python examples/forecast_city.py [SCENARIO]. Draws forecast-city.png.
"""

import sys
from pathlib import Path

import capsim
from capsim.demand import birth_variant, by_sector
from capsim.report.figures import render
from capsim.report.figures.places import forecast_figure

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    city = capsim.generate(3, 60_000, seed=1, years=(2021, 2033), name="city")

demand = capsim.project(city, draws=500, seed=1)
for text in demand.notes:
    print("note:", text)
print(f"{'autumn':>6} {'children':>10} {'80 % of draws':>21} {'low births':>11} {'high':>10}")
total = demand.pupils.sum((0, 1))
low, high = (capsim.project(birth_variant(city, name)).pupils for name in ("low", "high"))
for at, year in enumerate(demand.years):
    band = sorted(demand.draws[..., at].sum((1, 2)))
    edges = f"{band[50]:>10,.0f}–{band[-51]:<10,.0f}"
    births = f"{low[..., at].sum():>11,.0f} {high[..., at].sum():>10,.0f}"
    print(f"{year:>6} {total[at]:>10,.0f} {edges:>21} {births}")

sectors = by_sector(city, demand)
private = sectors.pupils[1].sum((0, 1))
print(f"private if nothing is decided: {private[0]:,.0f} now, {private[-1]:,.0f} at the end")
Path("forecast-city.png").write_bytes(render(forecast_figure(city, demand), "png"))
