"""The whole work of a command: load, project, optimize, certify, simulate, report.

What a command needs is imported when it is called, so that all commands start at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from capsim.i18n.language import Message

if TYPE_CHECKING:
    import pandas as pd

    from capsim.analysis.shadow_prices import Prices
    from capsim.certificate.ledger import Certificate
    from capsim.comparison.ranking import Comparison
    from capsim.comparison.sensitivity_design import Factors
    from capsim.construction.recovery import Recovery
    from capsim.demand.rolling_origin import Backtest
    from capsim.lp.options_and_result import SolveKeywords
    from capsim.plan.plan import Explanation, Plan
    from capsim.reliability.result import Hardened
    from capsim.scenario.scenario import Scenario
    from capsim.simulation.outcomes import Outcomes


Progress = Callable[[str], None]
"""Told the name of each phase as it begins, and `WRITING` before each file; may raise to stop."""

PLAN, PLAN_BESIDE = 0.8, 0.4
"""Shares of the time for the plan: where prices follow, and where it is made safe first."""
WRITING = "writing"
MARK = "summary.json"
"""The file by which a folder is known to be a report."""


class InputError(ValueError):
    """Raised where the request cannot be done with the scenarios and settings."""


@dataclass(frozen=True)
class RunResult:
    """The result of a run; of an infeasible scenario neither certificate nor outcomes.

    `explanation` says why a target is missed, `prices` what is scarce.
    """

    scenario: Scenario
    plan: Plan
    certificate: Certificate | None
    outcomes: Outcomes | None
    summary: dict[str, Any]
    answer: str
    hardened: Hardened | None = None
    recovery: Recovery | None = None
    explanation: Explanation | None = None
    prices: pd.DataFrame | None = None


def run(
    scenario: Scenario | str | Path,
    out: str | Path | None = None,
    *,
    draws: int | None = None,
    seed: int = 0,
    prices: bool = True,
    lang: str = "en",
    probability: float | None = None,
    paper: bool = False,
    workers: int = 1,
    store: str | Path | None = None,
    progress: Progress = lambda phase: None,
    **options: Unpack[SolveKeywords],
) -> RunResult:
    """Plan a scenario, check the plan, simulate it and write its report.

    Parameters
    ----------
    scenario
        A scenario or its folder.
    out
        Folder of the report, which appears whole or not at all; an earlier report there is
        replaced. None: nothing is written.
    draws
        Simulations; None: as the scenario says; 0: none.
    seed
        Of the simulation: the same seed gives the same files, except for the timings.
    prices
        Whether to price what is scarce and to explain why a target is missed.
    lang
        Of answer, figures and page: `en` or `zh`.
    probability
        With which the targets of ``[reliability]`` shall be met together (where it names none:
        every child placed and the private share); None: as the scenario says.
    paper
        Plan for one future alone. Else, where ``[reliability]`` names targets or a probability is
        asked for, the plan is the one of `capsim.harden`, beside the cheapest one on paper.
    workers
        Processes that simulate.
    store
        Folder that keeps finished blocks of the simulation, so that the same run, broken off, goes
        on from there.
    progress
        Called with the name of each phase as it begins.
    **options : see :class:`~capsim.SolveOptions`
        But ``executor``. The seconds are for the plan, to make it safe, for prices and for reasons,
        together; the simulation and the report come after them.

    Raises
    ------
    capsim.ScenarioError
        The scenario has faults; all are listed.
    capsim.io.executors.WorkerLost, capsim.io.cache.StoreError
        A worker died or the store cannot be written to; finished blocks are kept.
    FileExistsError
        `out` holds something that is not a report.
    ValueError
        There is no such language.
    """
    from capsim.certificate import certify
    from capsim.demand.projection import project
    from capsim.i18n.language import words as language
    from capsim.io.atomic import check_place, check_writable
    from capsim.io.executors import processes
    from capsim.lp.options_and_result import SolveOptions
    from capsim.lp.parallel_solves import Clock, until
    from capsim.plan.solver import optimize
    from capsim.reliability.search import chosen, harden
    from capsim.report.screen import answer
    from capsim.report.summary import summarize
    from capsim.scenario.scenario import Scenario, load
    from capsim.simulation.run import simulate

    timings_s: dict[str, float] = {}

    @contextmanager
    def phase(name: str, key: str) -> Iterator[None]:
        progress(name)
        start = time.perf_counter()
        yield
        timings_s[key] = time.perf_counter() - start

    solving = SolveOptions.of(run, options, without=["executor"])
    language(lang)
    if out is not None:
        check_place(Path(out), MARK)
    if store is not None:
        check_writable(Path(store))
    _keep_apart(out, store)
    with phase("reading the scenario", "load"):
        given = scenario if isinstance(scenario, Scenario) else load(scenario)
    with phase("projecting enrolment", "project"):
        demand = project(given)
    asked = given.settings.reliability
    safe = not paper and bool(asked.targets or probability is not None)
    clock = Clock(solving.time_limit)
    with phase("planning", "optimize"):
        plan = optimize(
            given,
            demand,
            progress=lambda words: progress(f"planning: {words}"),
            **solving.within(clock.left(), 1 / (PLAN_BESIDE if safe else PLAN)).keywords,
        )
    timings_s |= {f"optimize_{name}": seconds for name, seconds in plan.timings_s.items()}
    certificate, outcomes, hardened, regained = None, None, None, None
    why, priced = None, None
    if plan.status == "infeasible":
        with phase("explaining what contradicts", "explain"), until(clock.left()):
            why = plan.explain()
    else:
        with processes(workers) if workers > 1 else nullcontext() as pool:
            if safe:
                try:
                    targets = chosen(plan, asked.targets or None)
                except ValueError as error:
                    text = "reliability.targets: {why}"
                    raise InputError(Message(text, {"why": error.args[0]})) from error
                with phase("making the plan safe", "harden"):
                    hardened = harden(
                        given,
                        targets,
                        probability or asked.probability,
                        plain=plan,
                        seed=seed,
                        progress=progress,
                        **replace(solving, executor=pool).within(clock.left(), 1 / PLAN).keywords,
                    )
                plan = hardened.plan
            with phase("checking the plan", "certify"):
                certificate = certify(plan.scenario, plan)
            if prices:
                with phase("pricing what is scarce", "price"), until(clock.left()):
                    why, priced = _reasons(plan, progress)
            number = given.settings.simulation.draws if draws is None else draws
            if number > 0:
                with phase("simulating", "simulate"):
                    outcomes = simulate(
                        plan,
                        draws=number,
                        seed=seed,
                        executor=pool,
                        store=store,
                        done=_share(progress) if pool or store else _nothing,
                    )
                with phase("looking for what wins lost time", "recover"):
                    regained = _recovery(outcomes, probability, seed, progress)
    summary = summarize(
        plan, certificate, outcomes, hardened, regained, seed=seed, timings_s=timings_s
    )
    unsafe = () if hardened is None else hardened.reasons
    words = answer(plan, summary, outcomes, why, unsafe=unsafe, recovery=regained, lang=lang)
    result = RunResult(
        plan.scenario,
        plan,
        certificate,
        outcomes,
        summary,
        words,
        hardened,
        regained,
        why,
        priced,
    )
    if out is not None:
        write(result, out, lang=lang, progress=progress)
    return result


def _keep_apart(out: str | Path | None, store: str | Path | None) -> None:
    """Refuse a store in the place of a report, which is replaced whole, before any work.

    Raises
    ------
    InputError
        They are not apart.
    """
    if out is not None and store is not None:
        one, two = Path(out).resolve(), Path(store).resolve()
        if one == two or one in two.parents:
            text = "the report {out} and the store {store} need places of their own"
            raise InputError(Message(text, {"out": str(out), "store": str(store)}))


def _reasons(plan: Plan, progress: Progress) -> tuple[Explanation | None, pd.DataFrame | None]:
    """Compute what is scarce (None if not in time), and why a target is missed.

    Where the program is large a price is one number, not its two sides.
    """
    from capsim.lp.options_and_result import NotInTime
    from capsim.lp.parallel_solves import Clock
    from capsim.model.model import is_large

    priced, left = None, Clock().left()
    half = left if left is None or plan.meets_targets else left / 2
    try:
        large = is_large(plan.model.program)
        priced = plan.prices(intervals=not large, time_limit=half).binding()
    except NotInTime:
        progress("no time was left to price what is scarce")
    if plan.meets_targets:
        return None, priced
    progress("explaining what is missed")
    return plan.explain(), priced


def _recovery(
    outcomes: Outcomes, probability: float | None, seed: int, progress: Progress
) -> Recovery | None:
    """Look for what wins the time that projects lose; None where none that harms is late."""
    from capsim.construction.recovery import recovery
    from capsim.simulation.opening_dates import planned_dates, read_openings

    plan, targets = outcomes.plan, outcomes.tables["targets"]
    asked = probability or plan.scenario.settings.reliability.probability
    late = [
        name.removeprefix("programme-")
        for name, chance in zip(targets["id"], targets["probability"], strict=True)
        if name.startswith("programme-") and chance < asked
    ]
    drawn = outcomes.tables["projects"]
    if not late and not (drawn["harm"] > 0).any():
        return None
    planned = planned_dates(read_openings(plan, plan.model.given))
    return recovery(plan.scenario, planned, drawn, late, asked, seed=seed, progress=progress)


def _share(progress: Progress) -> Callable[[int, int], None]:
    """Return a callback that shows, in tenths, how much of the simulation is done."""
    return lambda finished, total: progress(f"simulating, {10 * (10 * finished // total)} % done")


def _nothing(finished: int, total: int) -> None:
    """Do nothing: a short run in one process shows no progress."""


def write(
    result: RunResult,
    out: str | Path,
    *,
    lang: str = "en",
    progress: Progress = lambda phase: None,
) -> None:
    """Write the report of a run into a folder, which appears whole or not at all.

    Raises
    ------
    FileExistsError
        `out` holds something that is not a report.
    """
    from capsim.io.atomic import whole_folder
    from capsim.report.files import files, safety_files
    from capsim.report.page.tables import milestones
    from capsim.report.summary import to_json

    progress(WRITING)
    start = time.perf_counter()
    with whole_folder(Path(out), MARK) as folder:
        drawn = result.outcomes
        reached = None if drawn is None else milestones(drawn.building)
        contents = files(
            result.plan,
            result.summary,
            result.certificate,
            drawn,
            reached=reached,
            explanation=result.explanation,
            prices=result.prices,
            unsafe=() if result.hardened is None else result.hardened.reasons,
            recovery=result.recovery,
            lang=lang,
        )
        _put(folder, [("answer.txt", result.answer.encode()), *contents], progress)
        if result.hardened is not None:
            _put(folder, safety_files(result.hardened), progress)
        result.scenario.save(folder / "scenario")
        result.summary["timings_s"]["report"] = time.perf_counter() - start
        (folder / MARK).write_text(to_json(result.summary), encoding="utf-8")


def report(
    plan: Plan,
    out: str | Path,
    outcomes: Outcomes | None = None,
    hardened: Hardened | None = None,
    *,
    lang: str = "en",
) -> Path:
    """Check a plan that there is already, and write its report as `run` does.

    What is scarce is not priced, and what is missed is not explained: both take their time.

    Raises
    ------
    FileExistsError
        `out` holds something that is not a report.
    ValueError
        There is no such language.
    """
    from capsim.certificate import certify
    from capsim.i18n.language import words as language
    from capsim.io.atomic import check_place
    from capsim.report.screen import answer
    from capsim.report.summary import summarize

    language(lang)
    check_place(Path(out), MARK)
    certificate = None if plan.status == "infeasible" else certify(plan.scenario, plan)
    seed = 0 if outcomes is None else outcomes.seed
    summary = summarize(
        plan, certificate, outcomes, hardened, seed=seed, timings_s=dict(plan.timings_s)
    )
    unsafe = () if hardened is None else hardened.reasons
    said = answer(plan, summary, outcomes, unsafe=unsafe, lang=lang)
    made = RunResult(plan.scenario, plan, certificate, outcomes, summary, said, hardened)
    write(made, out, lang=lang)
    return Path(out)


def explain_run(
    scenario: Scenario | str | Path,
    *,
    progress: Progress = lambda phase: None,
    **options: Unpack[SolveKeywords],
) -> tuple[Plan, Explanation | None, Prices | None]:
    """Plan a scenario, and explain why targets are missed, or else price what is scarce.

    Parameters
    ----------
    scenario
        A scenario or its folder.
    progress
        Called with the name of each phase as it begins.
    **options : see :class:`~capsim.SolveOptions`

    Raises
    ------
    capsim.ScenarioError
        The scenario has faults; all are listed.
    """
    from capsim.lp.options_and_result import SolveOptions
    from capsim.lp.parallel_solves import until
    from capsim.plan.solver import optimize
    from capsim.scenario.scenario import Scenario, load

    progress("reading the scenario")
    loaded = scenario if isinstance(scenario, Scenario) else load(scenario)
    solving = SolveOptions.of(explain_run, options)
    with until(solving.time_limit) as clock:
        progress("planning")
        plan = optimize(loaded, **solving.within(clock.left(), 1 / PLAN_BESIDE).keywords)
        progress("explaining")
        explanation = plan.explain()
        return plan, explanation, plan.prices() if explanation is None else None


def compare_run(
    scenarios: Sequence[str | Path],
    out: str | Path,
    *,
    settings: Sequence[str] = (),
    one_at_a_time: bool = False,
    criterion: str = "objective_cny",
    lang: str = "en",
    workers: int = 1,
    store: str | Path | None = None,
    progress: Progress = lambda phase: None,
    **how: Any,
) -> Comparison:
    """Plan scenarios side by side and write the page, tables and figures.

    Parameters
    ----------
    scenarios
        Folders; a single one with settings to vary.
    out
        Folder of the report, which appears whole or not at all.
    settings
        Settings of the single scenario and their values, `KEY=VALUE,VALUE`.
    one_at_a_time
        Vary each setting alone, not in every combination.
    criterion
        Column of the table `summary` to rank by.
    lang
        Of figures and page: `en` or `zh`.
    workers
        Processes, a scenario each.
    store
        Folder that keeps finished scenarios.
    progress
        Called with the name of each phase as it begins.
    **how
        Draws, seed, prices and options as for `capsim.compare`.

    Raises
    ------
    InputError
        Scenarios or settings that cannot be compared.
    FileExistsError
        `out` holds something that is not a comparison.
    """
    from capsim.comparison.ranking import compare, refuse
    from capsim.comparison.sensitivity_design import grid, parse_settings
    from capsim.comparison.sensitivity_design import one_at_a_time as vary_each_alone
    from capsim.io.atomic import check_place, check_writable
    from capsim.io.executors import processes
    from capsim.report.files import COMPARISON_MARK, comparison_files
    from capsim.scenario.faults import ScenarioError
    from capsim.scenario.scenario import load

    check_place(Path(out), COMPARISON_MARK)
    if store is not None:
        check_writable(Path(store))
    _keep_apart(out, store)
    loaded = [load(folder) for folder in scenarios]
    factors: Factors = {}
    if settings and len(loaded) > 1:
        raise InputError(Message("--set varies one scenario; name one"))
    try:
        if settings:
            vary = vary_each_alone if one_at_a_time else grid
            loaded, factors = vary(loaded[0], parse_settings(settings))
        refuse([one.name for one in loaded], criterion)
    except ScenarioError:
        raise
    except ValueError as error:
        raise InputError(*(error.args or [str(error)])) from error
    with processes(workers) if workers > 1 else nullcontext() as pool:
        comparison = compare(
            loaded,
            criterion=criterion,
            factors=factors,
            executor=pool,
            store=store,
            progress=progress,
            **how,
        )
    write_folder(Path(out), COMPARISON_MARK, comparison_files(comparison, lang=lang), progress)
    return comparison


def backtest_run(
    path: Path,
    out: Path | None = None,
    *,
    leads: Sequence[int] | None = None,
    first_origin: int | None = None,
    lang: str = "en",
    progress: Progress = lambda phase: None,
    **how: Any,
) -> Backtest:
    """Back-test the forecasts on observed enrolment, and write tables and figures of the errors.

    Parameters
    ----------
    path
        Folder of a scenario, or a table of areas, years and grades.
    out
        Folder to write, which appears whole or not at all. None: nothing is written.
    leads, first_origin
        Years ahead and first autumn, as `capsim.demand.rolling_origin.backtest` takes them.
    lang
        Of the notes that are written: `en` or `zh`.
    progress
        Called with the name of each phase as it begins.
    **how
        How the table is read, as `capsim.demand.panel` takes it.

    Raises
    ------
    capsim.ScenarioError
        The scenario or the table has faults.
    FileExistsError
        `out` holds something else.
    """
    from capsim.demand.enrolment_table import panel
    from capsim.demand.projection import panel_of
    from capsim.demand.rolling_origin import backtest
    from capsim.io.atomic import check_place
    from capsim.report.files import BACKTEST_MARK, backtest_files
    from capsim.scenario.scenario import load

    if out is not None:
        check_place(out, BACKTEST_MARK)
    progress("reading")
    table = panel_of(load(path)) if (path / "scenario.toml").is_file() else panel(path, **how)
    progress("judging forecasts")
    result = backtest(table, leads=leads, first_origin=first_origin)
    if out is not None:
        write_folder(out, BACKTEST_MARK, backtest_files(result, lang), progress)
    return result


def write_folder(
    out: Path, mark: str, contents: Iterable[tuple[str, bytes]], progress: Progress
) -> None:
    """Write files (path, content) into a folder, which appears whole or not at all.

    Raises
    ------
    FileExistsError
        `out` holds something without the file `mark`.
    """
    from capsim.io.atomic import whole_folder

    progress(WRITING)
    with whole_folder(out, mark) as folder:
        _put(folder, contents, progress)


def _put(folder: Path, contents: Iterable[tuple[str, bytes]], progress: Progress) -> None:
    for name, content in contents:
        progress(WRITING)
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def build_run(
    scenario: str | Path,
    out: Path | None = None,
    *,
    draws: int = 1000,
    seed: int = 0,
    optimize_starts: bool = False,
    schedules: int = 20,
    record: Path | None = None,
    closed: str | None = None,
    hurry: str | None = None,
    number: int | None = None,
    probability: float | None = None,
    progress: Progress = lambda phase: None,
) -> dict[str, Any]:
    """Simulate a scenario's building programme alone, and write its tables.

    Parameters
    ----------
    scenario
        Its folder.
    out
        Folder of the tables, which appears whole or not at all. None: nothing is written.
    draws, seed
        Of the simulation.
    optimize_starts, schedules
        Whether to choose when projects that have not begun yet begin, among so many schedules.
    record, closed
        CSV file of a programme's record, from which durations are learned (see
        `capsim.construction.fit`), and the day on which it was closed; None: the construction's
        start.
    hurry, number, probability
        Programme for which it is sought which projects to hurry; how many of it shall be in use in
        time, with which probability (None: all that it asks for, and as ``[reliability]`` says).
        The files have the table ``projects`` with the options bought for that many.
    progress
        Called with the name of each phase as it begins.

    Returns
    -------
    dict
        As `capsim.report.summary.building`; besides `starts`, `slippage` and `hurry` where asked
        for.

    Raises
    ------
    capsim.ScenarioError
        The scenario or the record has faults; all are listed.
    InputError
        There is no such programme.
    FileExistsError
        `out` holds something else.
    """
    from capsim.construction import acceleration, calibration, scheduling
    from capsim.construction import programme_simulation as building
    from capsim.io.atomic import check_place
    from capsim.report.files import BUILD_MARK, building_files
    from capsim.report.summary import building as summarize_building
    from capsim.report.summary import hurrying, starts_gain
    from capsim.scenario.folder import table_bytes
    from capsim.scenario.scenario import load, without_blank
    from capsim.scenario.table_reader import read_table

    if out is not None:
        check_place(out, BUILD_MARK)
    given = load(scenario)
    phases, slippage = None, None
    if record is not None:
        progress("learning durations")
        table = read_table(record, known=calibration.COLUMNS.__contains__).frame
        closed = closed or given.settings.construction.start.isoformat()
        slippage = calibration.fit(table.replace("", None), closed)
        phases = calibration.phases_table(given, slippage)
        shock_sd = {"construction.shock_sd": slippage.shock_sd}
        given = given.variant(shock_sd, tables={"phases": phases})
    optimized = None
    if optimize_starts:
        progress("choosing start dates")
        optimized = scheduling.optimize_starts(
            given,
            schedules=schedules,
            replications=draws,
            seed=seed,
            done=lambda tried, total: progress(f"choosing start dates, {tried} of {total}"),
        )
        programme = optimized.after
    else:
        progress("building")
        programme = building.build(given, replications=draws, seed=seed)
    view = summarize_building(given, programme)
    if optimized is not None:
        view["starts"] = starts_gain(given, optimized)
    if slippage is not None:
        view["slippage"] = {**asdict(slippage), "closed": closed}
    found, bought = None, None
    if hurry is not None:
        try:
            found = acceleration.accelerate(
                given,
                hurry,
                probability,
                [] if number is None else [number],
                replications=draws,
                seed=seed,
                progress=progress,
            )
            wanted = found.required if number is None else number
            if found.enough(wanted) is not None:
                table = found.hurried(wanted).table("projects")
                bought = table_bytes(without_blank("projects", table))
        except ValueError as error:
            raise InputError(*(error.args or [str(error)])) from error
        view["hurry"] = hurrying(found, wanted)
    if out is not None:
        contents = building_files(view, programme, optimized, phases, found, bought)
        write_folder(out, BUILD_MARK, contents, progress)
    return view
