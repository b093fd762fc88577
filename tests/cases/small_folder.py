"""A small scenario that is right in every way, as the texts of its files."""

from __future__ import annotations

import json
from pathlib import Path

SETTINGS = """\
name = "small"
title = "Two areas"
country = "china"
tables = {TABLES}

[horizon]
base_year = 2021
last_year = 2024

[stages]
planned = ["kindergarten", "primary"]
compulsory = ["primary"]

[standards.primary]
class_size = {value = 44, unit = "pupils", source = "bureau", mark = "A"}

[policy]
private_share_cap = {2022 = {value = 0.1, unit = "share", source = "order", mark = "S"}}
reduction = 20

[floors]
kindergarten_inclusive = {2022 = 0.8}

[programmes.build]
number = 1
by = 2022-12-31

[programmes.turn]
number = 1
by = 2022-12-31

[costs]
discount_rate = {value = 0.04, unit = "a year", source = "assumed", mark = "A"}

[staff]
stages = ["primary"]

[calendars.winter]
stops = [["12-15", "02-15"]]

[sources]
"schools.places" = {source = "classes x 45", mark = "D"}
"""

OBSERVED = (("n", "public", 100, 60), ("n", "private", 20, 20), ("s", "public", 50, 30))


def texts() -> dict[str, str]:
    """Give the text of every file."""
    pupils = ["area,sector,grade,school_year,pupils"]
    for area, sector, primary, kindergarten in OBSERVED:
        for grade in ("K1", "K2", "K3", "1", "2", "3", "4", "5", "6"):
            number = kindergarten if grade.startswith("K") else primary
            pupils += [f"{area},{sector},{grade},{year},{number}" for year in (2020, 2021)]
    births = ["area,year,births"]
    for area, number in (("n", 120), ("s", 60)):
        births += [f"{area},{year},{number}" for year in range(2008, 2022)]
    rolls = ["school,stage,grade,pupils"]
    rolls += [f"n-private,primary,{grade},20" for grade in range(1, 7)]
    forecast = ["area,grade,school_year,pupils"]
    forecast += [f"s,1,{year},55" for year in range(2022, 2025)]
    tables = {
        "areas": [
            "area,county,kind,part,name,name_zh,x_km,y_km",
            "n,North,urban,core,North town,北镇,0,0",
            "s,South,rural,village,South,南村,3,4",
        ],
        "pupils": pupils,
        "births": births,
        "forecast": forecast,
        "schools": [
            "school,stage,area,sector,places,pupils,classes,staff,conversion,"
            "purchasable_places,admission_plan,source,mark",
            "n-public,primary,n,public,540,600,12,32,no,0,,yearbook,P",
            "n-private,primary,n,private,135,120,3,8,may,60,30,,",
            "s-public,primary,s,public,270,300,6,16,,0,,,",
            "n-kinder,kindergarten,n,public,180,180,6,12,,,,,",
            "n-sunny,kindergarten,n,private,60,60,2,4,,,,,",
            "s-kinder,kindergarten,s,public,90,90,3,6,,,,,",
        ],
        "rolls": rolls,
        "projects": [
            "project,stage,area,kind,places,capital_cny,status,earliest_opening,due,school,"
            "programme,count,started,spent_cny,pupils",
            "north-new,primary,n,new,270,13500000,ordered,2022-09-01,2022-12-31,,build,1,"
            "2021-06-01,4000000,",
            "north-more,primary,n,extend,90,5850000,candidate,2023-09-01,,n-public,,2,,,",
            "south-both,primary,s,new,180,9000000,candidate,2023-09-01,,,,1,,,",
            "south-both,kindergarten,s,new,90,4950000,candidate,2023-09-01,,,,1,,,",
            "turn-sunny,kindergarten,n,inclusive_kindergarten,0,100000,ordered,2022-09-01,"
            "2022-12-31,n-sunny,turn,1,,,60",
        ],
        "links": [
            "area,to_area,to_school,stage,km,cost_cny",
            "n,s,,primary,5,",
            "s,n,,,,1500",
            "s,,north-new,primary,6,",
        ],
        "limits": [
            "county,year,kind,amount",
            "*,2022,capital,20000000",
            "*,2023,capital,20000000",
            "North,2022,hires,10",
        ],
        "phases": [
            "project,kind,phase,after,distribution,low_months,mode_months,high_months,needs,"
            "milestone",
            ",new,land,,pert,3,6,12,,",
            ",new,structure,,pert,6,8,12,crews=1,built",
            ",new,fit_out,structure,triangular,2,3,5,crews=1; money=2,equipped",
            ",extend,works,,fixed,,5,,,in_use",
            "turn-sunny,,papers,north-new:fit_out,fixed,,1,,,in_use",
        ],
        "resources": [
            "resource,county,units,from,calendar",
            "crews,*,2,,winter",
            "money,*,3,2022-01-01,",
            "money,*,4,2022-04-01,",
        ],
        "dwellings": ["area,year,dwellings,pupils_per_dwelling", "n,2023,100,0.2"],
        "migration": ["area,grade,school_year,pupils", "s,1,2023,-3.5"],
    }
    return {"scenario.toml": SETTINGS.replace("{TABLES}", json.dumps(list(tables)))} | {
        f"{name}.csv": "\n".join(lines) + "\n" for name, lines in tables.items()
    }


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files into a new folder."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder
