"""A scenario from tables of schools: what is read, matched, refused and assumed."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import capsim
from capsim.cli import app
from capsim.demand.school_names import matched, whole_name
from capsim.i18n.language import words

make = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "make_table_sets.py"))["make"]

WIDE = """Official membership,,,,,,,
,,,,,,,
School,Year,PK,K,1,2,Total,Note
Adams Elementary School,2021/22,9,40,41,42,132,
Oak K-2 School,2021/22,0,30,31,32,93,
All schools,2021/22,9,70,72,74,225,
Adams Elementary School,2022/23,8,44,40,41,133,moved
Oak K-2 School,2022/23,0,33,30,"1,031",1094,
All schools,2022/23,8,77,70,1072,1227,
"""
LONG = """School,Type,Value
ADAMS ES,State Rated Capacity,140
ADAMS ES,Enrollment,125
oak k-2 school,State Rated Capacity,900
oak k-2 school,Enrollment,1094
County Total,State Rated Capacity,1040
"""
HOW = {"country": "usa", "stages": {"elementary": "K-2"}, "borrowed_rate": 0.25}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "enrolment.csv").write_text(WIDE, "utf-8")
    (tmp_path / "capacity.csv").write_text(LONG, "utf-8")
    return tmp_path


def load(files, capacity=LONG, **how):
    (files / "capacity.csv").write_text(capacity, "utf-8")
    return capsim.load_tables(files / "enrolment.csv", files / "capacity.csv", **{**HOW, **how})


def notes(made):
    return "\n".join(map(str, made.read))


def test_messy_files_to_the_sound_figures(files):
    made = load(files)
    schools = made.scenario.table("schools").set_index("school")
    assert schools["places"].to_dict() == {"Adams Elementary School": 140, "Oak K-2 School": 900}
    assert schools["pupils"].to_dict() == {"Adams Elementary School": 125, "Oak K-2 School": 1094}
    pupils = made.scenario.table("pupils").set_index(["area", "grade", "school_year"])["pupils"]
    assert pupils["Oak K-2 School", "2", 2022] == 1031
    assert pupils["Adams Elementary School", "K", 2021] == 40
    assert len(pupils) == 12
    told = notes(made)
    for part in ("PK (17 pupils)", "All schools", "State Rated Capacity", "County Total"):
        assert part in told
    assert "'Adams Elementary School' = 'ADAMS ES'" in told
    assert made.scenario.base_year == 2022


def test_each_assumption_says_what_it_is_and_how_to_give_ones_own(files):
    made = load(files)
    table = made.assumptions.set_index("what")
    assert (table["own"] != "").all()
    assert (table["why"] != "").all()
    assert table.loc["horizon.last_year", "value"] == "2027"
    assert table.loc["travel.within_county", "value"] == "false"
    assert table.loc["costs.hire_cny", "value"] == "1,250 USD"
    assert table.loc["standards.elementary.allowance_cny", "value"] == "162.5 USD"
    assert table.loc["projects", "value"] == "none"
    own = load(files, last_year=2024, set={"costs.hire_cny": 9.0}).assumptions["what"]
    assert not {"horizon.last_year", "costs.hire_cny"} & set(own)


def test_what_is_assumed_is_what_the_scenario_has(files):
    made = load(files)
    table = made.assumptions.set_index("what")["value"]
    settings = made.scenario.settings
    assert float(table["costs.discount_rate"]) == settings.costs.discount_rate
    assert int(table["horizon.last_year"]) == made.scenario.last_year
    for name in ("teacher_cny", "travel_cny_per_km"):
        stated = float(table[f"costs.{name}"].removesuffix(" USD").replace(",", ""))
        assert stated == getattr(settings.costs, name)


def test_a_school_without_capacity_is_a_fault_with_the_name_that_is_near(files):
    other = LONG.replace("oak k-2 school", "Oack K-2 School")
    with pytest.raises(capsim.ScenarioError) as error:
        load(files, other)
    said = str(error.value)
    assert "capacity.csv: 'Oak K-2 School'" in said
    assert "'Oak K-2 School' ~ 'Oack K-2 School'" in said
    assert "--without-capacity" in said


def test_schools_without_capacity_are_left_out_or_have_places_for_their_pupils(files):
    other = LONG.replace("oak k-2 school", "Elm")
    kept = load(files, other, without_capacity="pupils")
    assert kept.scenario.table("schools")["places"].tolist() == [140, 1094]
    assert "schools.places" in set(kept.assumptions["what"])
    left = load(files, other, without_capacity="leave-out")
    assert left.scenario.table("areas")["area"].tolist() == ["Adams Elementary School"]
    assert "no capacity, left out with its pupils: Oak K-2 School (1 school)" in notes(left)
    assert "capacity.csv: without pupils in the enrolment, left out: Elm (1 row)" in notes(left)


def test_a_stage_without_capacity_is_no_less_a_fault_than_a_school():
    """A has pupils of grade 6, a middle grade, and its capacity is that of its elementary stage."""
    grades = {str(grade): [40, 41] for grade in range(1, 7)}
    pupils = pd.DataFrame({"school": ["A", "A"], "year": [2022, 2023], "K": [38, 39], **grades})
    room = pd.DataFrame({"School": ["A"], "Level": ["Elementary"], "Capacity": [250]})
    how = {"country": "usa", "borrowed_rate": 0.3}
    with pytest.raises(capsim.ScenarioError, match=r"'A \(middle\)' where a capacity"):
        capsim.load_tables(pupils, room, **how)
    made = capsim.load_tables(pupils, room, without_capacity="pupils", **how)
    assert made.scenario.table("schools")["places"].tolist() == [250, 41]
    why = made.assumptions.set_index("what")["why"]["schools.places"]
    assert why == "1 school has no capacity: A (middle)"


def test_names_are_matched_where_one_alone_on_each_side_has_the_form():
    found = matched(["North ES", "Saint Ann School"], ["north  es", "St. Ann", "South"])
    assert dict(found.to) == {"north  es": "North ES", "St. Ann": "Saint Ann School"}
    assert found.left == ("South",)
    twins = matched(["Oak ES", "Oak Elementary"], ["OAK ELEM"])
    assert twins.found == frozenset()


def test_kinds_of_school_keep_names_apart():
    assert whole_name("Oak ES") != whole_name("Oak MS")
    assert whole_name("第一小学") != whole_name("第二小学")


def test_capacity_by_stage_sector_and_year(files):
    rows = """School,Level,Sector,Year,Seats
Adams Elementary School,Elementary,Public,2021,1
Adams Elementary School,Elementary,Public,2022,140
Oak K-2 School,elementary,Private,2022,900
"""
    made = load(files, rows)
    schools = made.scenario.table("schools").set_index("school")
    assert schools["sector"].tolist() == ["public", "private"]
    assert schools["places"].tolist() == [140, 900]
    assert "capacity of 2022 is read; left out: 1 row of other years" in notes(made)
    assert "schools.sector" not in set(made.assumptions["what"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("School,Capacity,Seats\nAdams ES,1,2\n", "one column of capacity"),
        ("School,Room\nAdams ES,1\n", "a column for the capacity"),
        (LONG.replace(",140", ",many"), "a number of places"),
        ("School,Sector,Capacity\nAdams ES,odd,1\nOak K-2,public,1\n", "public or private"),
        ("School,Capacity\nAdams ES,1\nAdams ES,2\n", "each school once"),
    ],
)
def test_what_cannot_be_read_is_refused(files, rows, said):
    with pytest.raises(capsim.ScenarioError, match=said):
        load(files, rows)


def test_one_capacity_of_several_stages_goes_by_pupils(tmp_path):
    pupils = pd.DataFrame(
        {"school": ["A", "A"], "year": [2021, 2022], "5": [60, 60], "6": [20, 20], "K": [40, 40]}
        | {str(g): [40, 40] for g in range(1, 5)}
    )
    room = pd.DataFrame({"school": ["A"], "capacity": [560]})
    made = capsim.load_tables(pupils, room, country="usa", borrowed_rate=0.2, name="a")
    schools = made.scenario.table("schools").set_index("stage")
    assert schools["places"].to_dict() == {"elementary": 520, "middle": 40}
    assert "schools.places by stage" in set(made.assumptions["what"])


def test_the_country_is_told_by_the_grades_or_asked_for(files):
    made = load(files, country=None)
    assert made.scenario.settings.country == "usa"
    plain = pd.DataFrame({"school": ["A"] * 2, "year": [2021, 2022], "1": [4, 5], "2": [4, 5]})
    with pytest.raises(capsim.ScenarioError, match="--country"):
        capsim.load_tables(plain, pd.DataFrame({"school": ["A"], "capacity": [9]}))


def test_prices_that_are_lacking_are_asked_for_by_name(files):
    with pytest.raises(capsim.ScenarioError, match=r"costs\.teacher_cny"):
        load(files, borrowed_rate=None)


def test_candidates_are_classes_of_the_stage(files):
    made = load(files, expand=0.2, expand_cost=20_000)
    projects = made.scenario.table("projects").set_index("area")
    assert projects["places"].tolist() == [22, 22]
    assert projects["count"].tolist() == [1, 8]
    assert projects["capital_cny"].tolist() == [440_000, 440_000]
    assert set(projects["status"]) == {"candidate"}


def test_points_by_name_or_a_fault(files):
    pytest.importorskip("pyproj")
    points = files / "points.csv"
    points.write_text("name,lon,lat\nadams es,-76.6,39.3\nOAK K-2,-76.5,39.3\n", "utf-8")
    made = capsim.load_tables(
        files / "enrolment.csv", files / "capacity.csv", points, **HOW, nearest_schools=2
    )
    areas = made.scenario.table("areas")
    assert (areas["x_km"].diff().iloc[1]) == pytest.approx(8.6, abs=0.1)
    assert dict(made.scenario.settings.travel.nearest) == {"elementary": 2}
    assert len(made.scenario.table("links")) == 4
    points.write_text("name,lon,lat\nadams es,-76.6,39.3\n", "utf-8")
    with pytest.raises(capsim.ScenarioError, match=r"points\.csv.*'Oak K-2 School'"):
        capsim.load_tables(files / "enrolment.csv", files / "capacity.csv", points, **HOW)


def test_the_command_prints_and_saves_what_was_read_and_assumed(files):
    out = files / "made"
    given = ["--from", str(files / "enrolment.csv"), "--capacity", str(files / "capacity.csv")]
    given += ["--stage", "elementary=K-2", "--borrow", "0.25", "--set", "costs.hire_cny=77"]
    done = CliRunner().invoke(app, ["import", str(out), *given])
    assert done.exit_code == 0, done.output
    assert "Assumed:" in done.output
    assert "costs.discount_rate = 0.04" in done.output
    saved = pd.read_csv(out / "assumptions.tsv", sep="\t")
    assert "horizon.last_year" in set(saved["what"])
    assert "read as" in (out / "read.txt").read_text("utf-8")
    scenario = capsim.load(out)
    assert scenario.name == "made"
    assert scenario.settings.costs.hire_cny == 77
    checked = CliRunner().invoke(app, ["check", str(out)])
    assert checked.exit_code == 0, checked.output
    again = CliRunner().invoke(app, ["import", str(out), *given, "--replace", "--json"])
    assert again.exit_code == 0, again.output
    told = json.loads(again.stdout)
    assert {row["what"] for row in told["assumed"]} >= {"country", "areas"}
    chinese = CliRunner().invoke(app, ["import", str(out), *given, "--replace", "--lang", "zh"])
    assert "假设：" in chinese.output


def test_the_command_asks_for_what_it_needs(files):
    table = str(files / "enrolment.csv")
    for line in (
        ["import", "--from", table],
        ["import", "book.xlsx", "out", "--from", table],
        ["import", "book.xlsx", "out", "--expand", "0.2"],
        ["import", "out", "--from", table, "--stage", "K-5"],
    ):
        assert CliRunner().invoke(app, line).exit_code == 2, line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("country", "rate", "year"), [("usa", 0.3, 2023), ("england", 0.2, 2023), ("china", None, 2023)]
)
def test_a_set_of_each_country_to_a_plan(tmp_path, country, rate, year):
    pytest.importorskip("pyproj")
    make(country, tmp_path, 12, 3)
    made = capsim.load_tables(
        *(tmp_path / f"{name}.csv" for name in ("enrolment", "capacity", "points")),
        borrowed_rate=rate,
        last_year=year + 2,
        expand=0.3,
        name=country,
    )
    scenario = made.scenario
    assert scenario.settings.country == country
    assert scenario.base_year == year
    assert scenario.rows("areas") == 12
    plan = capsim.optimize(scenario)
    assert capsim.certify(scenario, plan).max_violation < 1e-6


# ---- capacity as it is written, points as they are written

ROOM = pd.DataFrame({"School": ["Adams Elementary School", "Oak K-2 School"], "Places": [140, 900]})
SPOTS = ROOM[["School"]].assign(lon=["-76.6", "-76.7"], lat=["39.3", "39.2"])


def places(made):
    return made.scenario.table("schools").set_index("school")["places"].tolist()


def test_capacity_in_units_is_scaled_or_refused(files):
    for head in ("Capacity (hundreds)", "核定学位（百人）", "Capacity, in hundreds"):
        table = ROOM.assign(Places=[1.4, 9]).rename(columns={"Places": head})
        assert places(load(files, table.to_csv(index=False))) == [140, 900]
    told = load(files, ROOM.assign(Places=["140 seats", "900 seats"]).to_csv(index=False))
    assert places(told) == [140, 900]
    with pytest.raises(capsim.ScenarioError, match="in the header of their column"):
        load(files, "单位：百人\n" + ROOM.assign(Places=[1.4, 9]).to_csv(index=False))


def test_capacity_in_several_rows_or_columns(files):
    again = pd.concat([ROOM.assign(Type="Permanent"), ROOM.assign(Type="Portable", Places=20)])
    with pytest.raises(capsim.ScenarioError, match="--places, of Permanent, Portable"):
        load(files, again.to_csv(index=False))
    assert places(load(files, again.to_csv(index=False), places="permanent")) == [140, 900]
    annex = pd.concat([ROOM.assign(Level="Elementary"), ROOM.assign(Level="Annex", Places=9)])
    with pytest.raises(capsim.ScenarioError, match="each school once, or once a stage"):
        load(files, annex.to_csv(index=False))
    wide = ROOM.rename(columns={"Places": "Elementary Capacity"}).assign(**{"High Capacity": 7})
    made = load(files, wide.to_csv(index=False))
    assert places(made) == [140, 900]
    assert "places of stages without pupils left out: high (2 rows)" in notes(made)
    one = pd.concat([ROOM, ROOM.iloc[:1].assign(School="ADAMS ES", Places=30)])
    with pytest.raises(capsim.ScenarioError, match="one row for each school, under one name"):
        load(files, one.to_csv(index=False))
    beside = ROOM.assign(Portables=5, **{"Year Built": 1960})
    assert "columns not read: Portables, Year Built" in notes(
        load(files, beside.to_csv(index=False))
    )


def test_capacity_of_years_and_rows_without_a_name(files):
    table = pd.concat([ROOM.assign(Year=2021).iloc[:1], ROOM.assign(Year="2022-23").iloc[1:]])
    assert places(load(files, table.to_csv(index=False))) == [140, 900]
    bad = ROOM.assign(Year=["now", "2021"])
    with pytest.raises(capsim.ScenarioError, match="a school year"):
        load(files, bad.to_csv(index=False))
    assert "without a name" in notes(load(files, ROOM.to_csv(index=False) + ",1040\n"))
    with pytest.raises(capsim.ScenarioError, match="the name of a school"):
        load(files, ROOM.to_csv(index=False) + ",1000\n")
    with pytest.raises(capsim.ScenarioError, match="a column for the capacity"):
        load(files, ROOM.rename(columns={"Places": "PAN"}).to_csv(index=False))


def test_a_sector_is_known_by_its_cells(files):
    made = load(files, ROOM.assign(**{"School Type": ["Public", "Parochial"]}).to_csv(index=False))
    assert made.scenario.table("schools")["sector"].tolist() == ["public", "private"]


def placed(files, table, **how):
    (files / "points.csv").write_text(table.to_csv(index=False), "utf-8")
    made = load(files, ROOM.to_csv(index=False), points=files / "points.csv", **how)
    areas = made.scenario.table("areas")
    return (areas["x_km"].diff().iloc[1], areas["y_km"].diff().iloc[1]), made


@pytest.mark.parametrize(
    "change",
    [
        {"lon": ["76°36'00\"W", "76°42′W"], "lat": ["39°18'N", "N39.2"]},
        {"lon": ["-76,6", "-76,7"], "lat": ["３９.3", "39,200"]},
        {"lon": ["76.6 W", "-76.7"]},
    ],
    ids=["minutes", "commas", "sides"],
)
def test_degrees_in_text(files, change):
    plain, _ = placed(files, SPOTS)
    # a tenth of a degree: 111.195 km x 0.1, and x cos(39.25 degrees) from west to east
    assert [round(one, 2) for one in plain] == [-8.61, -11.12]
    assert placed(files, SPOTS.assign(**change))[0] == pytest.approx(plain, abs=1e-5)


def test_points_in_other_columns(files):
    plain, _ = placed(files, SPOTS)
    named = SPOTS.rename(columns={"lon": "Longitude (WGS84)", "lat": "LAT_DD"})
    assert placed(files, named)[0] == plain
    text = SPOTS[["School"]].assign(geometry=["POINT (-76.6 39.3)", "POINT (-76.7 39.2)"])
    assert placed(files, text)[0] == plain
    high = SPOTS[["School"]].assign(geometry=["POINT Z (-76.6 39.3 12)", "POINT Z (-76.7 39.2 8)"])
    assert placed(files, high)[0] == plain
    with pytest.raises(capsim.ScenarioError, match="columns lon and lat"):
        placed(files, text.assign(geometry=["POINT (-76.6 39.3)", "POINT (-7.6.1 .)"]))
    far = pd.concat([SPOTS, pd.DataFrame({"School": ["Ash"], "lon": ["-70"], "lat": ["45"]})])
    assert placed(files, far)[0] == plain
    blank = pd.concat([pd.DataFrame({"School": ["Ash"], "lon": [""], "lat": [""]}), SPOTS])
    assert "1 row without coordinates left out: 2" in notes(placed(files, blank)[1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lon": ["39.3", "39.2"], "lat": ["-76.6", "-76.7"]}, "latitude are swapped"),
        ({"lon": ["76.6", "76.7"]}, "give them a minus"),
        ({"lon": ["0", "-76.7"], "lat": ["0", "39.2"]}, "the place of a school"),
        ({"lat": ["3.93", "39.2"]}, "1 is elsewhere"),
        ({"lat": ["39.3 W", "39.2"]}, "degrees, from -90 to 90"),
        ({"School": ["ADAMS ES", "Adams Elementary"]}, "one row for each school|a point for each"),
    ],
)
def test_points_that_are_amiss(files, change, said):
    with pytest.raises(capsim.ScenarioError, match=said) as error:
        placed(files, SPOTS.assign(**change))
    assert error.value.text(words("zh"))


def test_metres_need_their_coordinate_system(files):
    pytest.importorskip("pyproj")
    # Places near Coventry in metres of the British grid, a kilometre apart each way.
    metres = ROOM[["School"]].assign(Easting=["433000", "434000"], Northing=["278000", "279000"])
    with pytest.raises(capsim.ScenarioError, match="coordinate system of Easting, Northing"):
        placed(files, metres)
    (east, north), _ = placed(files, metres, crs="EPSG:27700", country="none",
                              stages={"primary": "K-2"}, set=OWN)  # fmt: skip
    assert (east, north) == (pytest.approx(1, abs=0.02), pytest.approx(1, abs=0.02))


OWN = {"currency": "GBP", "standards.primary.class_size": 30}


def test_all_tables_are_judged_at_once(files):
    (files / "enrolment.csv").write_text(WIDE.replace("40,41,42", "?,41,42"), "utf-8")
    spots = SPOTS.assign(lon=["west", "-76.7"])
    (files / "points.csv").write_text(spots.to_csv(index=False), "utf-8")
    bad = ROOM.assign(Places=["many", "900"]).to_csv(index=False)
    with pytest.raises(capsim.ScenarioError) as error:
        load(files, bad, points=files / "points.csv")
    assert [one.file for one in error.value.faults] == [
        "enrolment.csv",
        "capacity.csv",
        "points.csv",
    ]
