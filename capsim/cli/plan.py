"""Commands that plan: `run`, `compare` and `explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capsim import workflow
from capsim.cli.console import (
    NOT_MET,
    OK,
    Draws,
    Gap,
    Json,
    Lang,
    Language,
    Out,
    Prices,
    ScenarioFolder,
    Seed,
    Solver,
    TimeLimit,
    app,
    fail,
    work,
)
from capsim.i18n.language import Message, words


@app.command(epilog="Example: capsim run prefecture-2022 --out report --draws 200")
def run(
    scenario: ScenarioFolder,
    out: Out = Path("report"),
    draws: Draws = None,
    seed: Seed = 0,
    solver: Solver = "highs",
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    prices: Prices = True,
    lang: Lang = Language.EN,
    probability: Annotated[
        float | None,
        typer.Option(
            help="With which targets are met; default: as the settings say (reliability)."
        ),
    ] = None,
    paper: Annotated[
        bool, typer.Option("--paper", help="Plan for one future: the cheapest plan on paper.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that simulate.")] = 1,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder for finished blocks: the same run, broken off, goes on."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan a scenario, simulate the plan and write a report: answer, tables, figures."""
    if probability is not None and not 0 < probability < 1:
        text = "--probability {value}: a number between 0 and 1 is expected, as 0.95"
        fail(Message(text, {"value": f"{probability:g}"}), lang)
    if paper and probability is not None:
        fail(Message("--paper plans for one future: leave --probability out"), lang)
    result = work(
        lambda progress: workflow.run(
            scenario,
            out,
            draws=draws,
            seed=seed,
            solver=solver,
            gap=gap,
            time_limit=time_limit,
            prices=prices,
            lang=lang.value,
            probability=probability,
            paper=paper,
            workers=workers,
            store=store,
            progress=progress,
        ),
        lang,
    )
    from capsim.report.summary import holds, to_json

    if as_json:
        typer.echo(to_json(result.summary), nl=False)
    else:
        where = words(lang)("The report is in {folder}.", folder=out)
        typer.echo(f"{result.answer}\n{where}")
    raise typer.Exit(OK if holds(result.summary) else NOT_MET)


@app.command(
    epilog="Example: capsim compare prefecture-2022 low-births --out compared;"
    " or capsim compare my-city --set policy.private_share_cap.2022=0.04,0.05,0.06 --workers 2"
)
def compare(
    scenarios: Annotated[
        list[Path], typer.Argument(help="Two or more folders; one with --set.", metavar="A B …")
    ],
    out: Out = Path("comparison"),
    draws: Draws = None,
    seed: Seed = 0,
    solver: Solver = "highs",
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    by: Annotated[str, typer.Option(help="Column of summary.csv to rank by.")] = "objective_cny",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE,…",
            help="Vary a setting; repeated: every combination, or see --one-at-a-time.",
        ),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--one-at-a-time", help="Vary each --set alone, for a tornado.")
    ] = False,
    prices: Annotated[bool, typer.Option(help="Price what is scarce in each.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes, a scenario each.")] = 1,
    store: Annotated[
        Path | None,
        typer.Option(
            help="Folder that keeps finished scenarios: a stopped run goes on from there."
        ),
    ] = None,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Set scenarios side by side, each planned and simulated with the same luck."""
    comparison = work(
        lambda progress: workflow.compare_run(
            scenarios,
            out,
            settings=settings or (),
            one_at_a_time=alone,
            criterion=by,
            lang=lang.value,
            workers=workers,
            store=store,
            progress=progress,
            draws=draws,
            seed=seed,
            prices=prices,
            solver=solver,
            gap=gap,
            time_limit=time_limit,
        ),
        lang,
    )
    from capsim.report.screen import comparison_text
    from capsim.report.summary import comparison_summary, to_json

    if as_json:
        typer.echo(to_json(comparison_summary(comparison)), nl=False)
    else:
        typer.echo(comparison_text(comparison, lang=lang.value))
        typer.echo(words(lang)("The page, tables and figures are in {folder}.", folder=out))


@app.command(epilog="Example: capsim explain no-purchase")
def explain(
    scenario: ScenarioFolder,
    solver: Solver = "highs",
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Say why: which rules cannot hold together and what would cure it, or what is scarce."""
    plan, explanation, priced = work(
        lambda progress: workflow.explain_run(
            scenario, solver=solver, gap=gap, time_limit=time_limit, progress=progress
        ),
        lang,
    )
    from capsim.report.screen import reasons_text
    from capsim.report.summary import reasons, to_json

    if as_json:
        typer.echo(to_json(reasons(plan, explanation, priced)), nl=False)
    else:
        typer.echo(reasons_text(plan, explanation, priced, lang=lang.value), nl=False)
    raise typer.Exit(OK if plan.meets_targets else NOT_MET)
