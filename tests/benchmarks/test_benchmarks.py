"""The benchmark itself: routes agree, a wrong one is not timed, a missed goal stays missed."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import cluster, goals, milp, show
from benchmarks.__main__ import main
from benchmarks.case import Case, prepare
from benchmarks.clock import Phases, peak_mb
from benchmarks.growth import exponents
from benchmarks.measure import PHASES, compare, summary
from benchmarks.registry import ROUTES, discover
from benchmarks.sizes import MODELS

discover()
OWN = ("raw", "capsim", "scipy", "pulp-fast")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for model in MODELS:
        made[model] = tmp_path_factory.mktemp(model)
        prepare(model, "tiny", made[model], Phases())
    return made


def solved(folder: Path, model: str, route: str) -> float:
    return ROUTES[route].run(Case(folder, MODELS[model]), Phases())


@pytest.mark.parametrize("route", [name for name in OWN if name != "raw"])
@pytest.mark.parametrize("model", ["places", "places-milp", "plan"])
def test_routes_agree(folders: dict[str, Path], model: str, route: str) -> None:
    if model == "plan" and not ROUTES[route].whole:
        return
    limit = solved(folders[model], model, "raw")
    slack = 2 * MODELS[model].gap if MODELS[model].integer else 1e-7
    assert solved(folders[model], model, route) == pytest.approx(limit, rel=slack, abs=1e-7)


def test_whole_numbers_cost_more(folders: dict[str, Path]) -> None:
    relaxed = solved(folders["places"], "places", "raw")
    assert solved(folders["places-milp"], "places-milp", "raw") > relaxed + 1e-3


@pytest.mark.slow
def test_command_in_fresh_processes() -> None:
    command = [sys.executable, "-m", "benchmarks", "--sizes", "tiny", "--repeats", "1", "--json"]
    done = subprocess.run(
        [*command, "--routes", "capsim", "pulp-loops"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    (result,) = found["results"]
    assert list(result["routes"]) == ["raw", "capsim", "pulp-loops"]
    for route in result["routes"].values():
        assert route["differs"] <= 1e-6
        assert set(route["cpu_s"]) == set(PHASES)
        assert sum(route["cpu_s"].values()) > 0
        assert route["peak_mb"]["end"] > 30
    names = [check["name"] for check in found["checks"]]
    assert "places, tiny: build and hand-over, capsim / pulp-loops" in names
    for check in found["checks"]:
        assert set(check) == {"name", "goal", "measured", "holds"}
        assert check["holds"] == (check["measured"] <= check["goal"])


@pytest.mark.slow
@pytest.mark.parametrize("model", ["places", "places-milp"])
def test_peers_agree(model: str, tmp_path: Path) -> None:
    main(["--models", model, "--sizes", "tiny", "--repeats", "1", "--out", str(tmp_path)])
    (result,) = json.loads((tmp_path / "results.json").read_text())["results"]
    assert set(result["routes"]) == set(ROUTES)
    for name, route in result["routes"].items():
        reason = route.get("skipped")
        assert "differs" in route or reason.endswith("is not installed"), (name, reason)
    assert (tmp_path / "results.png").stat().st_size > 10_000


def run(objective: float, seconds: float) -> dict[str, object]:
    spent = dict.fromkeys(PHASES, seconds)
    return {"objective": objective, "cpu_s": spent, "wall_s": spent, "peak_mb": {"end": 1.0}}


def test_ratios_are_of_medians() -> None:
    limit = [run(10.0, 1.0), run(10.0, 2.0), run(10.0, 9.0)]
    runs = [run(10.0, 3.0), run(10.0, 4.0), run(10.0, 0.0)]
    found = summary(ROUTES["capsim"], runs, limit, integer=False, gap=1e-4)
    assert found["cpu_s"]["solve"] == 3.0
    assert found["build_over_solve"] == pytest.approx((3.0 + 3.0) / 2.0)
    assert found["whole"] == pytest.approx(12.0 / 8.0)


def test_another_objective_is_not_timed() -> None:
    limit = [run(10.0, 1.0)]
    wrong = summary(ROUTES["capsim"], [run(10.001, 0.1)], limit, integer=False, gap=1e-4)
    assert wrong == {"skipped": "objective differs from the limit's by 0.0001 (relative)"}
    nothing = summary(ROUTES["capsim"], [run(float("nan"), 0.1)], limit, integer=True, gap=1e-4)
    assert "skipped" in nothing
    within = summary(ROUTES["capsim"], [run(10.001, 0.1)], limit, integer=True, gap=1e-4)
    assert within["differs"] == pytest.approx(1e-4)


def test_an_absent_peer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.registry.find_spec", lambda name: None)
    found = summary(ROUTES["linopy"], [], [run(1.0, 1.0)], integer=False, gap=1e-4)
    assert found == {"skipped": "linopy is not installed"}


def test_a_miss_stays_visible() -> None:
    checks = [goals.check("slow", 2.0, 1.0), goals.check("fast", 0.5, 1.0)]
    checks.append({"name": "gain", "goal": 25.0, "measured": 30.0, "holds": True})
    assert show.verdicts(checks).splitlines() == [
        "MISS  slow: 2 (goal: at most 1)",
        "pass  fast: 0.5 (goal: at most 1)",
        "pass  gain: 30 (goal: at least 25)",
    ]


def test_slower_than_a_peer_is_a_miss() -> None:
    own = {"cpu_s": dict.fromkeys(PHASES, 2.0), "build_over_solve": 2.0, "whole": 4.0}
    peer = {"cpu_s": dict.fromkeys(PHASES, 1.0)}
    routes = {"raw": peer, "capsim": own, "linopy": peer, "scipy": peer}
    found = goals.of_routes([{"model": "m", "size": "city", "integers": 0, "routes": routes}])
    measured = {check["name"]: check["measured"] for check in found}
    assert measured == {
        "m, city: build and hand-over / raw solve": 2.0,
        "m, city: whole / raw": 4.0,
        "m, city: whole, capsim / linopy": 2.0,
        "m, city: build and hand-over, capsim / linopy": 2.0,
        "m, city: after the arrays, capsim / scipy": 1.5,
    }
    assert not any(check["holds"] for check in found)


def test_exponents_of_known_powers() -> None:
    keys = ("nonzeros", "project_s", "formulate_s", "hand_over_s", "formulate_mb")
    points = [{"axis": "areas", "value": n, **dict.fromkeys(keys, 3.0 * n**2)} for n in (1, 2, 4)]
    assert exponents(points) == {"areas": pytest.approx(dict.fromkeys(keys, 2.0))}


def test_a_gap_is_proved_between_plan_and_bound(folders: dict[str, Path]) -> None:
    found = milp.solved("places-milp", "tiny", 1e-3, 60.0)
    best = solved(folders["places-milp"], "places-milp", "raw")
    assert found["bound"] <= best * (1 + 1e-4)
    assert found["objective"] >= best * (1 - 1e-4)
    assert 0 <= found["gap"] + 1e-9 <= 1e-3


def test_an_unproved_gap_misses_both_goals() -> None:
    late = {"model": "m", "size": "city", "gap": float("nan"), "wall_s": 1.0}
    assert [check["holds"] for check in milp.checks(late)] == [False, False]
    good = {"model": "m", "size": "city", "gap": 5e-4, "wall_s": 61.0}
    assert [check["holds"] for check in milp.checks(good)] == [True, False]


def test_seconds_on_more_workers_by_hand() -> None:
    """The second round waits for the last call of the first."""
    rounds = [[3.0, 2.0, 2.0, 1.0], [5.0]]
    recorder = cluster.Recorder(rounds, sent=200_000_000, back=50_000_000)
    found = recorder.figures(1.0)["predicted_s"]
    assert found[1] == 1 + 8 + 5
    assert found[2] == 1 + 4 + 5 + 2
    assert found[4] == 1 + 3 + 5 + 2


def test_recorder_counts_what_goes_over_a_network() -> None:
    recorder = cluster.Recorder()
    assert recorder.submit(len, b"y" * 5000).result() == 5000
    assert recorder.sent == len(pickle.dumps((len, (b"y" * 5000,))))
    assert (recorder.back, len(recorder.busy_s)) == (len(pickle.dumps(5000)), 1)


def test_clock_counts_work_and_memory() -> None:
    phases = Phases()
    with phases("build"):
        held = bytearray(60_000_000)
        held[::4096] = b"1" * len(held[::4096])
    assert phases.cpu_s["build"] > 0
    assert phases.peak_mb["build"] > 60
    assert peak_mb() >= phases.peak_mb["build"]


@pytest.mark.parametrize("name", ["orlib", "psplib"])
def test_commands_say_what_they_need(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name])
    assert stopped.value.code == 2
    assert "directory" in capsys.readouterr().err


def test_commands_are_delegated(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr("benchmarks.orlib.main", lambda folder: seen.append(folder))
    monkeypatch.setattr("benchmarks.psplib.main", lambda folder, n: seen.append((folder, n)))
    main(["orlib", "here"])
    main(["psplib", "there", "7"])
    assert seen == ["here", ("there", 7)]


@pytest.mark.slow
def test_routes_whose_ratios_are_near_one_run_more_often(tmp_path: Path) -> None:
    found = compare("places", "tiny", ["capsim", "pulp-fast"], tmp_path, repeats=1, closely=1)
    assert {name: route["runs"] for name, route in found["routes"].items()} == {
        "raw": 2,
        "capsim": 2,
        "pulp-fast": 1,
    }
