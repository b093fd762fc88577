"""A building programme simulated alone, for one screen and for a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.report.numbers import count
from capsim.report.summary import plain, to_json
from capsim.report.tables import csv

if TYPE_CHECKING:
    from capsim.construction import Programme
    from capsim.scenario import Scenario

BUILD_MARK = "building.json"
"""The file by which a folder is known to be a simulated building programme."""

MOST = 5


def building(scenario: Scenario, programme: Programme) -> dict[str, Any]:
    """Sum a simulated building programme up.

    Returns
    -------
    dict
        scenario (name, hash), seed, replications, projects (copies), on_time (mean share of them
        in use on their planned day), programmes (name → by, number, projects, in_use_mean,
        probability that the number is reached), waiting (cause → mean days a project), late (the
        projects most likely to be late: project, planned, p_on_time, p50, p90).
    """
    opening = programme.opening
    settings = scenario.settings.programmes
    given = scenario.table("projects").drop_duplicates("project").set_index("project")
    of_project = given["programme"].reindex(list(programme.projects)).to_numpy()
    programmes = {}
    for name, rule in settings.items():
        mine = of_project == name
        by = np.datetime64(rule.by.isoformat(), "D").astype(int)
        reached = (opening[:, mine] <= by).sum(axis=1)
        programmes[name] = {
            "by": rule.by.isoformat(),
            "number": rule.number,
            "projects": int(mine.sum()),
            "in_use_mean": reached.mean(),
            "probability": (reached >= rule.number).mean(),
        }
    waiting = programme.waiting().groupby("cause")["days"].sum()
    waiting = (waiting / max(1, len(programme.projects))).sort_values(ascending=False)
    chance = programme.probability()
    dates = programme.dates()
    dates = dates[dates["milestone"] == "in_use"]
    late = chance.merge(dates[["project", "copy", "p50", "p90"]], on=["project", "copy"])
    late = late[late["probability"] < 1].sort_values("probability", kind="stable").head(MOST)
    late = late.rename(columns={"probability": "p_on_time"})
    return plain(
        {
            "scenario": {"name": scenario.name, "hash": scenario.hash},
            "seed": programme.seed,
            "replications": len(opening),
            "projects": len(programme.projects),
            "on_time": chance["probability"].mean(),
            "programmes": programmes,
            "waiting_days": waiting.to_dict(),
            "late": late[["project", "planned", "p_on_time", "p50", "p90"]].to_dict("records"),
        }
    )


def building_text(view: dict[str, Any]) -> str:
    """Write what `building` gives as lines for one screen."""
    lines = [
        f"{view['scenario']['name']}: {count(view['projects'])} projects,"
        f" {count(view['replications'])} simulations, seed {view['seed']}.",
        f"In use on the planned day: {100 * (view['on_time'] or 0):.0f} % of the projects.",
    ]
    for name, row in view["programmes"].items():
        lines.append(
            f"{name}: {row['number']} wanted by {row['by']}; {count(row['in_use_mean'])} of"
            f" {row['projects']} in use on average, enough in {100 * row['probability']:.0f} %."
        )
    if view["waiting_days"]:
        causes = (f"{cause} {days:.1f}" for cause, days in view["waiting_days"].items())
        lines.append(f"Days lost by an average project: {', '.join(causes)}.")
    lines += [
        f"  {row['project']:<16} planned {row['planned']}, on time {100 * row['p_on_time']:.0f} %,"
        f" even chance {row['p50']}, nine in ten {row['p90']}"
        for row in view["late"]
    ]
    return "\n".join(lines) + "\n"


def building_files(view: dict[str, Any], programme: Programme) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a simulated building programme."""
    yield BUILD_MARK, to_json(view).encode()
    for name in ("dates", "probability", "waiting", "use", "gantt"):
        yield f"{name}.csv", csv(getattr(programme, name)())
