"""Loading, saving, changing: what a scenario is stays what it is."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from small_folder import texts, write

import capsim
from capsim.scenario import Scenario, ScenarioError, load
from capsim.scenario.faults import CONTROL
from capsim.scenario.schema import TABLES
from capsim.scenario.settings import Settings

BARE = {
    "name": "bare",
    "horizon": {"base_year": 2021, "last_year": 2024},
    "costs": {"discount_rate": 0.04},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("model") / "small", dict(texts()))


@pytest.fixture(scope="module")
def small(folder: Path) -> Scenario:
    return capsim.load(folder)


def top(folder: Path, name: str, toml: str, **files: str) -> Path:
    """Write a folder beside another that extends it."""
    text = f'extends = "../{folder.name}"\nname = "{name}"\n{toml}'
    return write(folder.parent / name, {"scenario.toml": text, **files})


def test_what_it_says_of_itself(small: Scenario) -> None:
    assert (small.name, small.title) == ("small", "Two areas")
    assert (small.base_year, small.first_year, small.last_year) == (2021, 2022, 2024)
    assert small.years == (2022, 2023, 2024)
    assert list(small.stages) == ["kindergarten", "primary"]
    assert small.stages["primary"].class_size == 44
    assert small.stages["primary"].class_ceiling == 55
    assert small.stages["primary"].running_cny == pytest.approx(100_000 / 19 + 650)
    assert small.settings.policy.private_share_cap == {2022: 0.1}
    assert small.settings.policy.conversion_due_year == 2023
    assert small.settings.policy.purchase_ceiling_share is None
    assert small.settings.construction.start.isoformat() == "2022-01-01"
    assert small.settings.switches.seats
    assert repr(small) == f"Scenario('small', 2022-2024, {small.hash[:10]})"


def test_a_title_in_chinese_heads_what_is_in_chinese(small: Scenario, folder: Path) -> None:
    said = small.variant({"title_zh": "两个片区"})
    assert (said.heading("zh"), said.heading()) == ("两个片区", "Two areas")
    assert small.heading("zh") == small.heading() == "Two areas"
    assert said.hash != small.hash == said.variant({"title_zh": ""}).hash
    # A scenario that is built upon it and has a title of its own is not called as the base is.
    place = write(folder.parent / "zh", dict(texts()))
    said.save(place, replace=True)
    named = {"kept": "", "own": 'title = "New"', "set": '[set]\ntitle = "New"'}
    made = {name: capsim.load(top(place, name, toml)) for name, toml in named.items()}
    assert [one.heading("zh") for one in made.values()] == ["两个片区", "New", "New"]
    assert said.variant({"title": "New"}).heading("zh") == "New"
    assert said.variant({"title": "New", "title_zh": "新"}).heading("zh") == "新"


def test_nothing_can_be_changed(small: Scenario) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        small.warnings = ()  # type: ignore[misc]
    with pytest.raises(ValidationError):
        small.settings.policy.reduction = 3
    with pytest.raises(TypeError):
        small.settings.policy.private_share_cap[2022] = 1  # type: ignore[index]
    before = small.hash
    births = small.table("births")
    births["births"] = 0.0
    births.loc[0, "area"] = "x"
    assert small.table("births")["births"].sum() == 14 * (120 + 60)
    fresh = load_again(small)
    assert fresh.hash == before


def load_again(scenario: Scenario) -> Scenario:
    return pickle.loads(pickle.dumps(scenario))  # type: ignore[no-any-return]


def test_pickled_it_is_the_same(small: Scenario) -> None:
    again = load_again(small)
    assert again == small
    assert hash(again) == hash(small)
    assert again != small.variant(name="other")
    assert again.settings == small.settings


def test_every_documented_column_is_there(small: Scenario) -> None:
    for name, table in TABLES.items():
        for frame in (small.table(name), Scenario.from_tables(settings=BARE).table(name)):
            assert tuple(frame.columns) == table.names
            for column in table.columns:
                dtype = frame[column.name].dtype
                if column.kind == "int" and (column.required or column.default is not None):
                    assert dtype == np.int64
                elif column.kind in ("number", "int"):
                    assert dtype == np.float64
                else:
                    assert dtype == "str"
    assert not Scenario.from_tables(settings=BARE).has("areas")


def test_defaults_are_filled(small: Scenario) -> None:
    schools = small.table("schools").set_index("school")
    assert schools.loc["n-kinder", "conversion"] == "no"
    assert schools.loc["n-kinder", "inclusive"] == "no"
    assert schools.loc["n-kinder", "purchasable_places"] == 0
    assert schools["purchase_price_cny"].isna().all()
    assert schools.loc["n-private", "admission_plan"] == 30
    assert np.isnan(schools.loc["s-public", "admission_plan"])
    projects = small.table("projects").set_index("project")
    assert projects.loc["north-more", "count"] == 2
    assert projects.loc["north-new", "build_months"] == 12
    assert projects.loc["north-more", "due"] == ""
    assert projects["life_years"].isna().all()


def test_unknown_table(small: Scenario) -> None:
    with pytest.raises(KeyError, match="no table 'birth'; there is births"):
        small.table("birth")
    with pytest.raises(KeyError, match="no table 'birth'"):
        small.has("birth")


@pytest.mark.parametrize("table", ["births", "borders"])
def test_unknown_column(small: Scenario, table: str) -> None:
    with pytest.raises(KeyError, match=f"no column 'aera' of {table}; there is area"):
        small.column(table, "aera")


def test_sources(small: Scenario) -> None:
    found = small.sources()
    assert list(found.columns) == ["what", "value", "unit", "source", "mark"]
    rows = {row[0]: row[1:] for row in found.itertuples(index=False, name=None)}
    assert rows["policy.private_share_cap.2022"] == ("0.1", "share", "order", "S")
    assert rows["standards.primary.class_size"] == ("44.0", "pupils", "bureau", "A")
    assert rows["standards.primary.class_ceiling"][0] == "55"
    assert rows["schools.places"] == ("", "", "classes x 45", "D")
    assert rows["schools"] == ("1 rows", "", "yearbook", "P")
    assert "standards.senior.class_size" not in rows


@pytest.mark.slow
def test_saved_and_loaded_it_is_the_same(small: Scenario, tmp_path: Path) -> None:
    assert small.save(tmp_path / "deep" / "copy") == tmp_path / "deep" / "copy"
    again = load(tmp_path / "deep" / "copy")
    assert again.hash == small.hash
    assert again.settings == small.settings
    for name in TABLES:
        pd.testing.assert_frame_equal(again.table(name), small.table(name))
    pd.testing.assert_frame_equal(again.sources(), small.sources())
    first = {path.name: path.read_bytes() for path in (tmp_path / "deep" / "copy").iterdir()}
    again.save(tmp_path / "second")
    assert {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()} == first


def test_save_does_not_overwrite_unasked(small: Scenario, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    small.save(tmp_path / "copy")
    (tmp_path / "copy" / "README.md").write_text("mine")
    with pytest.raises(FileExistsError):
        small.save(tmp_path / "copy")
    small.variant(drop={"births": {}}).save(tmp_path / "copy", replace=True)
    assert (tmp_path / "copy" / "README.md").read_text() == "mine"
    assert not (tmp_path / "copy" / "births.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_failed_save_leaves_what_was(
    small: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.save(tmp_path / "copy")
    before = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("capsim.scenario.folder.table_bytes", full)
    with pytest.raises(OSError, match="no space"):
        small.save(tmp_path / "copy", replace=True)
    with pytest.raises(OSError, match="no space"):
        small.save(tmp_path / "new")
    assert {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_the_hash_is_of_the_content(small: Scenario, folder: Path, tmp_path: Path) -> None:
    files = dict(texts())
    files["births.csv"] = files["births.csv"].replace("\n", "\r\n").replace(",120\r", ",120.0\r")
    files["rolls.csv"] = 'grade,pupils,"stage",school\n' + "".join(
        f"{grade},2e1,primary,n-private\n" for grade in range(1, 7)
    )
    files["scenario.toml"] = files["scenario.toml"].replace("reduction = 20", "reduction = 20.0")
    assert load(write(tmp_path / "same", dict(files))).hash == small.hash
    files["births.csv"] = files["births.csv"].replace("n,2010,120.0", "n,2010,121")
    assert load(write(tmp_path / "other", dict(files))).hash != small.hash
    changed = small.variant({"costs.hire_cny": 5001})
    assert changed.hash != small.hash
    assert changed.variant({"costs.hire_cny": 5000}).hash == small.hash


def test_extends_merges_settings_and_replaces_tables(folder: Path) -> None:
    made = load(
        top(
            folder,
            "merged",
            'tables = ["dwellings"]\n'
            "[policy]\nprivate_share_cap = {2023 = 0.05}\nreduction = 30\n"
            '[set]\n"floors.kindergarten_inclusive" = {2023 = 0.7}\n"costs.hire_cny" = 1\n',
            **{"dwellings.csv": "area,year,dwellings\ns,2022,5\n"},
        )
    )
    assert made.name == "merged"
    assert made.settings.policy.private_share_cap == {2022: 0.1, 2023: 0.05}
    assert made.settings.policy.reduction == 30
    assert made.settings.floors.kindergarten_inclusive == {2023: 0.7}
    assert made.settings.costs.hire_cny == 1
    assert made.settings.costs.discount_rate == 0.04
    assert made.table("dwellings")["area"].tolist() == ["s"]
    assert len(made.table("births")) == 28


def test_extends_scales_and_drops(folder: Path) -> None:
    made = load(
        top(
            folder,
            "scaled",
            '[scale]\n"births.births" = {factor = 0.5, where = {year = ">=2020", area = "n"}}\n'
            '"limits.amount" = 2\n[drop]\nprojects = {project = ["north-more", "south-both"]}\n'
            "migration = {}\n",
        )
    )
    births = made.table("births").set_index(["area", "year"])["births"]
    assert births["n", 2019] == 120
    assert births["n", 2020] == 60
    assert births["s", 2020] == 60
    assert made.table("limits")["amount"].tolist() == [4e7, 4e7, 20]
    assert made.table("projects")["project"].tolist() == ["north-new", "turn-sunny"]
    assert not made.has("migration")


def test_a_chain_of_extends(folder: Path) -> None:
    top(folder, "one", '[scale]\n"births.births" = 0.5\n[policy]\nreduction = 1\n')
    text = 'extends = "../one"\nname = "two"\n[scale]\n"births.births" = 0.5\n'
    two = load(write(folder.parent / "two", {"scenario.toml": text}))
    assert two.table("births")["births"].iloc[0] == 30
    assert two.settings.policy.reduction == 1
    two.save(folder.parent / "flat")
    assert load(folder.parent / "flat").hash == two.hash


def test_a_variant_in_memory_is_that_of_the_files(small: Scenario, folder: Path) -> None:
    from_files = load(
        top(
            folder,
            "both",
            '[set]\n"policy.private_share_cap.2022" = 0.06\n'
            '[scale]\n"births.births" = {factor = 0.9, where = {year = ">2019"}}\n'
            '[drop]\nprojects = {status = "candidate"}\nphases = {kind = "extend"}\n',
        )
    )
    in_memory = small.variant(
        {"policy.private_share_cap.2022": 0.06},
        scale={"births.births": {"factor": 0.9, "where": {"year": ">2019"}}},
        drop={"projects": {"status": "candidate"}, "phases": {"kind": "extend"}},
        name="both",
    )
    assert in_memory.hash == from_files.hash
    assert small.settings.policy.private_share_cap == {2022: 0.1}


def test_a_setting_is_taken_away(small: Scenario, tmp_path: Path) -> None:
    capped = small.variant({"policy.purchase_ceiling_share": np.float64(0.08)})
    assert capped.settings.policy.purchase_ceiling_share == 0.08
    free = capped.variant({"policy.purchase_ceiling_share": None})
    assert free.settings.policy.purchase_ceiling_share is None
    free.save(tmp_path / "free")
    assert load(tmp_path / "free") == free == small


def test_measured_and_given_errors_differ(small: Scenario) -> None:
    same = small.variant({"uncertainty.area_sd": small.settings.uncertainty.area_sd})
    assert same.settings.uncertainty.model_fields_set == {"area_sd"}
    assert same.hash != small.hash


def test_a_variant_replaces_tables(small: Scenario) -> None:
    births = small.table("births").assign(births=lambda frame: frame["births"] + 1)
    made = small.variant(tables={"births": births})
    assert made.table("births")["births"].iloc[0] == 121
    with pytest.raises(ScenarioError, match="births, row 0, births: '-1'"):
        small.variant(tables={"births": births.assign(births=-1.0)})
    with pytest.raises(ScenarioError, match=r"settings, costs\.hire: 'hire' where a key: hire_cny"):
        small.variant({"costs.hire": 3})


@pytest.mark.parametrize(
    ("condition", "years"),
    [
        (2021, {2021}),
        ("2021", {2021}),
        ([2020, 2021], {2020, 2021}),
        (">=2020", {2020, 2021}),
        ("> 2020", {2021}),
        ("<2010", {2008, 2009}),
        ("<=2009", {2008, 2009}),
        ("!=2021", set(range(2008, 2021))),
    ],
)
def test_conditions(small: Scenario, condition: object, years: set[int]) -> None:
    made = small.variant(scale={"births.births": {"factor": 0, "where": {"year": condition}}})
    births = made.table("births")
    assert set(births["year"][births["births"] == 0]) == years


def test_planned_stages_are_those_with_pupils() -> None:
    areas = pd.DataFrame({"area": ["n"], "county": ["c"]})
    forecast = pd.DataFrame(
        {"area": "n", "grade": ["K1", "7"], "school_year": [2022, 2022], "pupils": [1.0, 2.0]}
    )
    made = Scenario.from_tables(settings=BARE, areas=areas, forecast=forecast)
    assert list(made.stages) == ["kindergarten", "junior"]
    assert list(Scenario.from_tables(settings=BARE).stages) == []


def test_a_stage_of_ones_own() -> None:
    stage = {
        "grades": ["a", "b"], "entry_age": 5, "class_size": 20, "class_ceiling": 24,
        "large_class": 25, "very_large_class": 30, "school_classes": [4, 8],
        "pupils_per_post": 10, "land_m2": 20, "allowance_cny": 100, "purchase_price_cny": 1000,
        "capital_cny": 1, "extension_cny": 2, "service_radius_km": 1,
    }  # fmt: skip
    areas = pd.DataFrame({"area": ["n"], "county": ["c"]})
    forecast = pd.DataFrame({"area": ["n"], "grade": "a", "school_year": 2022, "pupils": 1})
    said = BARE | {"standards": {"infant": stage}}
    made = Scenario.from_tables(settings=said, areas=areas, forecast=forecast)
    assert made.stages["infant"].grades == ("a", "b")
    assert made.stages["infant"].running_cny == 100_000 / 10 + 100


WRITTEN = st.characters(blacklist_categories=["Cs", "Cc"]).filter(
    lambda one: not CONTROL.search(one)
)
"""Characters of names and texts: none that moves a terminal or turns letters round."""


@pytest.mark.slow
@settings(max_examples=60)
@given(
    births=st.lists(st.floats(0, 1e9, allow_subnormal=True), min_size=1, max_size=8),
    name=st.text(WRITTEN, min_size=1, max_size=12).filter(lambda text: text == text.strip()),
    title=st.text(WRITTEN, max_size=20),
)
def test_any_content_survives_a_save(
    tmp_path_factory: pytest.TempPathFactory, births: list[float], name: str, title: str
) -> None:
    made = Scenario.from_tables(
        settings=BARE | {"title": title, "title_zh": title[::-1]},
        areas=pd.DataFrame({"area": [name], "county": ["c"], "name_zh": [" “,”\"'；" + name]}),
        births=pd.DataFrame(
            {"area": name, "year": range(2000, 2000 + len(births)), "births": births}
        ),
    )
    place = tmp_path_factory.mktemp("any") / "case"
    made.save(place)
    again = load(place)
    assert again.hash == made.hash
    assert (again.title, again.title_zh) == (title, title[::-1])
    assert again.table("births")["births"].tolist() == births


def defaults() -> list[str]:
    """A row of docs/scenario.md for each section of settings: what has a default, and which."""
    computed = ("horizon", "stages", "switches", "cost_terms")
    rows = []
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if section in computed or not hasattr(kind, "model_fields"):
            continue
        own = {n: f.default for n, f in kind.model_fields.items() if not f.is_required()}
        said = [f"`{n} = {written(value)}`" for n, value in own.items() if value is not None]
        none = [f"`{n}`" for n, value in own.items() if value is None]
        rows.append(f"| `[{section}]` | {', '.join(said)} | {', '.join(none)} |")
    return rows


def written(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    if isinstance(value, Mapping):
        return "{}"
    return (
        f'"{value}"'
        if isinstance(value, str)
        else (str(value).lower() if isinstance(value, bool) else f"{value:g}")
    )


def test_the_page_of_scenarios_says_every_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenario.md").read_text(encoding="utf-8")
    for row in defaults():
        assert row in page, f"docs/scenario.md, Where nothing is said, needs this row:\n{row}"
