"""Write the tables of ``scenarios/prefecture-2022`` (its settings are written by hand).

Run once after changing a number: ``python scripts/make_prefecture_2022.py [FOLDER]``.
Totals are those of the city's published work speech and come out exactly; everything below them
is invented. The numbers to turn are at the top; ``README.md`` in the folder says what each moves.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from capsim.scenario.synthetic.generator import base_tables, divide
from capsim.scenario.synthetic.projects import (
    Batch,
    capital_of,
    changes_of_schools,
    construction,
    kindergartens,
    limits,
    need,
    projects,
)
from capsim.scenario.synthetic.recipe import COMPULSORY, PUPILS_PER_POST, Recipe

SEED = 2022
FOLDER = Path(__file__).parents[1] / "scenarios" / "prefecture-2022"

# --- Totals of the work speech and what follows from them --------------------------------------
COMPULSORY_PUPILS = 1_500_000
PRIVATE_PUPILS = {"primary": 192_400, "junior": 192_400}
PUPILS_AND_STAFF, STAFF = 2_560_000, 165_000
AGED_12_TO_17 = 823_000  # vaccinated, all who should be: junior and senior pupils together
VOCATIONAL_SHARE = 0.4  # of the senior stage, in schools that are not planned
STAFF_ELSEWHERE = {"vocational": 1 / 12.5, "colleges": 1 / 18}  # of a student
BIRTH_FACTOR = 0.180  # births of the city over the province's
KINDERGARTEN_RATE = 0.9302
KINDERGARTENS, KINDERGARTEN_CHILDREN = 37, 6_309

# --- Counties: kind, residents in 1,000 (9,414,000 together), seat in km ------------------------
COUNTIES = (
    ("urban", 640), ("urban", 455), ("urban", 310),
    ("peri-urban", 420), ("peri-urban", 330), ("peri-urban", 210),
    ("rural", 860), ("rural", 830), ("rural", 790), ("rural", 720), ("rural", 680), ("rural", 640),
    ("rural", 590), ("rural", 530), ("rural", 480), ("rural", 400), ("rural", 300), ("rural", 229),
)  # fmt: skip

# --- Assumptions to turn ------------------------------------------------------------------------
RECIPE = Recipe(
    pupils=COMPULSORY_PUPILS,
    private=PRIVATE_PUPILS,
    birth_factor=BIRTH_FACTOR,
    kindergarten_rate=KINDERGARTEN_RATE,
    private_schools=400,
    buyout_cny=(50_000.0, 100_000.0),
    purchase_fall=0.43,
    purchase_floor=0.115,
    posts_room=0.0,
    posts_coming=0.4,
    posts_growth=1_816 / 1_500_000,
    contract_teachers=6_100 / 1_500_000,
    capital_cny=255.0,
    recurrent_room=1.0,
    land_mu=95 / 1_500_000,
    land_by_kind={"urban": 0.6, "peri-urban": 0.8, "rural": 1.0},
    closable=True,
    closure_cny=1_500.0,
    fixed_cny=300.0,
)

# The programme of 2022: 145 to build, 153,000 places of which 107,100 compulsory.
CARRIED = ("2022-03-01", "2022-05-15", "2022-07-15", "2022-08-20", "2022-09-01")
NEW_START = (
    "2022-11-15", "2022-10-20", "2022-12-01", "2022-08-25", "2022-11-01", "2022-12-15",
    "2022-10-10",
)  # fmt: skip
UNDER_WAY = (
    ("new", {"primary": 176}, 8),
    ("rebuild", {"primary": 72}, 4),
    ("extend", {"primary": 80}, 5),
    ("new", {"junior": 192}, 8),
    ("extend", {"junior": 68}, 4),
    ("new", {"primary": 162, "junior": 162}, 9),
    ("new", {"kindergarten": 132}, 12),
    ("new", {"senior": 280}, 7),
)
ORDERED = (
    ("new", {"primary": 264}, 12),
    ("rebuild", {"primary": 108}, 6),
    ("extend", {"primary": 160}, 10),
    ("new", {"junior": 288}, 12),
    ("extend", {"junior": 136}, 8),
    ("new", {"primary": 198, "junior": 198}, 11),
    ("new", {"kindergarten": 198}, 18),
    ("new", {"senior": 440}, 11),
)
BUILT = ("new", "rebuild", "extend", "prefab")
# kind, classes of a copy summed over the batch, projects, years, life, copies, least classes
CANDIDATES = (
    ("extend", {"primary": 24}, 12, (2023, 2024, 2024, 2025), None, 6, 1),
    ("extend", {"junior": 36}, 36, (2023, 2024, 2025, 2026), None, 12, 1),
    ("rebuild", {"primary": 12}, 4, (2024, 2025), None, 4, 2),
    ("rebuild", {"junior": 18}, 18, (2023, 2024, 2025, 2026), None, 6, 1),
    ("new", {"primary": 96}, 6, (2024, 2025, 2027, 2029), None, 1, 12),
    ("new", {"junior": 224}, 16, (2023, 2024, 2024, 2025, 2026, 2028), None, 1, 12),
    ("new", {"primary": 144, "junior": 144}, 9, (2023, 2024, 2025, 2026, 2027, 2030), None, 1, 12),
    ("prefab", {"primary": 15}, 10, (2023, 2023, 2024), 20, 6, 1),
    ("prefab", {"junior": 12}, 12, (2023, 2023, 2024, 2026), 20, 4, 1),
    ("extend", {"senior": 64}, 4, (2023, 2024), None, 1, 6),
    ("new", {"senior": 160}, 4, (2024, 2025, 2026), None, 1, 24),
)


def units(rng: np.random.Generator) -> pd.DataFrame:
    """Lay out 18 counties on a grid of 35 km, each with urban core, towns and villages."""
    at = np.arange(len(COUNTIES))
    counties = pd.DataFrame(
        {
            "county": [f"C{k + 1:02d}" for k in at],
            "kind": [kind for kind, _ in COUNTIES],
            "weight": [float(residents) for _, residents in COUNTIES],
            "x_km": 35.0 * (at % 5) + rng.uniform(-6, 6, len(at)).round(1),
            "y_km": 35.0 * (at // 5) + rng.uniform(-6, 6, len(at)).round(1),
        }
    )
    return divide(counties, rng)


def batches() -> tuple[tuple[Batch, ...], tuple[Batch, ...]]:
    """List the programme's batches and the candidates'."""
    programme = tuple(
        Batch(kind, classes, number, CARRIED, "under_construction", "build-2022", "2022-09-01", 0.7)
        for kind, classes, number in UNDER_WAY
    ) + tuple(
        Batch(kind, classes, number, NEW_START, "ordered", "build-2022", "2022-12-31", 0.15)
        for kind, classes, number in ORDERED
    )
    candidates = tuple(
        Batch(
            kind,
            classes,
            number,
            tuple(f"{y}-09-01" for y in years),
            smallest=least,
            life_years=life,
            count=copies,
        )
        for kind, classes, number, years, life, copies, least in CANDIDATES
    )
    return programme, candidates


def make() -> dict[str, pd.DataFrame]:
    """All tables of the scenario, by name."""
    rng = np.random.default_rng(SEED)
    areas = units(rng)
    recipe = RECIPE
    crowd, tables = base_tables(areas, with_senior(areas, recipe), rng)
    weights = need(areas, crowd, tables["schools"], recipe)
    programme, candidates = batches()
    turned = kindergartens(
        tables["schools"], KINDERGARTENS, KINDERGARTEN_CHILDREN, rng,
        earliest=("2022-09-01", "2022-10-15", "2022-11-20", "2022-12-10"),
        due="2022-12-31", programme="kindergarten-2022",
    )  # fmt: skip
    built = pd.concat(
        [
            projects(areas, weights, programme, rng),
            turned,
            projects(areas, weights, candidates, rng, "N"),
            changes_of_schools(areas, crowd, tables["schools"], recipe),
        ],
        ignore_index=True,
    )
    tables["projects"] = built
    money = capital_of(built, areas)
    tables["limits"] = limits(areas, crowd, tables["schools"], money, recipe, rng)
    return {**tables, **construction(areas, built)}


def with_senior(areas: pd.DataFrame, recipe: Recipe) -> Recipe:
    """Fix the senior stage and the staff by the speech; vocational schools, colleges aside."""
    crowd, _ = base_tables(areas, recipe, np.random.default_rng(SEED))
    senior = AGED_12_TO_17 - int(crowd.at_base("junior").sum())
    vocational = round(VOCATIONAL_SHARE * senior)
    in_schools = int(crowd.at_base("kindergarten").sum()) + COMPULSORY_PUPILS + senior
    elsewhere = {
        "vocational": vocational,
        "colleges": PUPILS_AND_STAFF - STAFF - in_schools,
    }
    away = round(sum(STAFF_ELSEWHERE[name] * number for name, number in elsewhere.items()))
    print(", ".join(f"{name} {number:,}" for name, number in elsewhere.items()), f"staff {away:,}")
    return replace(recipe, senior_pupils=senior - vocational, staff_total=STAFF - away)


def report(tables: dict[str, pd.DataFrame]) -> str:
    """Feasibility by arithmetic: what autumn 2022 asks for and what each lever can give."""
    table, built = tables["schools"], tables["projects"]
    inside = table[table["stage"].isin(COMPULSORY)]
    public, private = inside[inside["sector"] == "public"], inside[inside["sector"] == "private"]
    county = tables["areas"].set_index("area")["county"]
    seats = built[built["stage"].isin(COMPULSORY) & built["programme"].eq("build-2022")]
    autumn = seats[seats["earliest_opening"] <= "2022-09-01"]
    ceiling = tables["limits"].query("kind == 'purchase' and year == 2022")["amount"].sum()
    lines = [
        f"private pupils {private['pupils'].sum():,}: "
        + ", ".join(f"{k} {v:,}" for k, v in private.groupby("conversion")["pupils"].sum().items()),
        f"rows: {len(private)} private, {built['project'].nunique()} projects",
        f"seats of the programme {seats['places'].sum():,}, "
        f"usable on 1 September {autumn['places'].sum():,}",
        f"places for sale {private['purchasable_places'].sum():,.0f}, ceiling {ceiling:,.0f}",
    ]
    for stage, rows in public.groupby("stage"):
        lines.append(
            f"public {stage}: {rows['pupils'].sum():,} pupils, "
            f"class {rows['pupils'].sum() / rows['classes'].sum():.2f}, "
            f"standard seats empty {(rows['places'] - rows['pupils']).clip(lower=0).sum():,}, "
            f"over-filled {(rows['pupils'] - rows['places']).clip(lower=0).sum():,}"
        )
    lines.append(f"public class {public['pupils'].sum() / public['classes'].sum():.2f}")
    need_now = public["pupils"] / public["stage"].map(PUPILS_PER_POST)
    now = (
        tables["limits"]
        .query("year == 2022")
        .pivot_table(index="county", columns="kind", values="amount", aggfunc="sum")
    )
    by = pd.DataFrame(
        {
            "pupils": inside.groupby(inside["area"].map(county))["pupils"].sum(),
            "private": private.groupby(private["area"].map(county))["pupils"].sum(),
            "class": public.groupby(public["area"].map(county))["pupils"].sum()
            / public.groupby(public["area"].map(county))["classes"].sum(),
            "cover": public.groupby(public["area"].map(county))["staff"].sum()
            / need_now.groupby(public["area"].map(county)).sum(),
            "must": private[private["conversion"].eq("must")]
            .groupby(private["area"].map(county))["pupils"]
            .sum(),
            "may": private[private["conversion"].eq("may")]
            .groupby(private["area"].map(county))["pupils"]
            .sum(),
            "for_sale": private.groupby(private["area"].map(county))["purchasable_places"].sum(),
            "autumn_seats": autumn.groupby(autumn["area"].map(county))["places"].sum(),
            "programme_seats": seats.groupby(seats["area"].map(county))["places"].sum(),
        }
    ).join(now[["hires", "contract_teachers", "purchase", "land", "capital"]])
    return "\n".join([*lines, by.round(2).fillna(0).to_string()])


def variants(built: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Projects of the variants that change a date or a status, by name of the variant."""
    late = built.copy()
    slips = late["programme"].eq("build-2022") & late["status"].eq("ordered")
    late.loc[slips, "earliest_opening"] = "2023-06-30"
    late.loc[slips, "due"] = "2023-08-31"
    every = built.copy()
    chosen = every["status"].eq("candidate") & every["kind"].isin(BUILT)
    every.loc[chosen, "due"] = every.loc[chosen, "earliest_opening"]
    every.loc[chosen, "status"] = "ordered"
    return {"late-building": late, "build-everything": every}


def whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Write whole numbers without a decimal point."""
    out = frame.copy()
    for name in out.select_dtypes("float").columns:
        if (out[name].dropna() % 1 == 0).all():
            out[name] = out[name].astype("Int64")
    return out


def main() -> None:
    """Write every table as CSV and print the arithmetic."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    tables = make()
    for name, frame in tables.items():
        whole(frame).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    for name, frame in variants(tables["projects"]).items():
        (folder.parent / name).mkdir(exist_ok=True)
        whole(frame).to_csv(folder.parent / name / "projects.csv", index=False, lineterminator="\n")
    print(report(tables))


if __name__ == "__main__":
    main()
