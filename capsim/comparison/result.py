"""What a comparison keeps of one scenario: its tables, small enough to store and to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.i18n.message import Message
from capsim.plan.limits import limits_used, tight_targets

if TYPE_CHECKING:
    from capsim.plan.plan import Plan
    from capsim.simulation.outcomes import Outcomes


TERMS = ("new_seats", "converted", "purchased", "overfilled", "existing_seats", "fewer_pupils")


@dataclass(frozen=True)
class Result:
    """One scenario planned and simulated.

    Attributes
    ----------
    headline : mapping
        The row of the table `summary`; without a plan only scenario, status and gap.
    messages : tuple of Message
        Why there is no plan, where there is none; `sentences` are these in English.
    tables : mapping of frames
        `targets`, `mix`, `costs`, `years`, `limits`, `binding`, `draws`; see
        `capsim.comparison.side_by_side.compare`.
    """

    headline: Mapping[str, Any]
    messages: tuple[Message, ...]
    tables: Mapping[str, pd.DataFrame]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Why there is no plan, in English."""
        return tuple(str(one) for one in self.messages)


def result_of(plan: Plan, outcomes: Outcomes | None, prices: pd.DataFrame | None) -> Result:
    """Keep of a plan and its simulation what is compared."""
    headline = {"scenario": plan.scenario.name, "status": plan.status, "gap": plan.gap}
    if plan.status == "infeasible":
        messages = () if plan.explanation is None else plan.explanation.messages
        return Result(headline, messages, {})
    years = _years(plan)
    tables = {
        "targets": _targets(plan, outcomes),
        "mix": _mix(plan),
        "costs": _costs(plan, ["kind", "school_year"]),
        "years": years,
        "limits": _limits(plan),
    }
    if prices is not None:
        tables["binding"] = prices
    if outcomes is not None:
        tables["draws"] = outcomes.tables["draws"]
    headline |= _headline(plan, years, tables["targets"])
    return Result(_plain(headline), (), tables)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.item() if hasattr(value, "item") else value for key, value in values.items()}


def _headline(plan: Plan, years: pd.DataFrame, targets: pd.DataFrame) -> dict[str, Any]:
    tables = plan.tables
    bought = tables["purchases"].groupby("school_year")["places_december"].sum()
    opened = tables["projects"]
    opened = opened[(opened["status"] == "candidate") & (opened["opens"] != "")]
    return {
        "missed": int((~targets["holds"]).sum()),
        "objective_cny": plan.objective_cny,
        "avoidable_cny": plan.avoidable_cny,
        "displaced": years["displaced"].sum(),
        "shortfall": tables["shortfall"]["shortfall"].sum(),
        "surplus_last": years["surplus"].iloc[-1],
        "opened": int(opened["copies"].sum()),
        "converted": int(tables["conversions"]["school"].nunique()),
        "purchased_most": bought.max() if len(bought) else 0.0,
        "least_probability": targets["probability"].min(),
    }


def _targets(plan: Plan, outcomes: Outcomes | None) -> pd.DataFrame:
    table = plan.tables["targets"][["id", "by", "required", "achieved", "holds"]]
    table = table.assign(tight=table["id"].isin(tight_targets(plan)))
    if outcomes is None:
        return table.assign(probability=np.nan, low=np.nan, high=np.nan)
    drawn = outcomes.tables["targets"][["id", "probability", "low", "high"]]
    return table.merge(drawn, on="id", how="left")


def _limits(plan: Plan) -> pd.DataFrame:
    """Limits that the plan uses up in its own years."""
    table = limits_used(plan)
    rows = table["binds"] & (table["year"] >= plan.scenario.first_year)
    return table[rows].drop(columns="binds").reset_index(drop=True)


def _mix(plan: Plan) -> pd.DataFrame:
    table = plan.tables["reduction"]
    year = plan.scenario.settings.policy.reduction_year
    rows = table[table["school_year"] == year] if year is not None else table.head(1)
    return rows[["school_year", *TERMS, "total"]].reset_index(drop=True)


def _costs(plan: Plan, keys: list[str]) -> pd.DataFrame:
    costs = plan.tables["costs"]
    costs = costs.assign(avoidable_cny=costs["discounted_cny"] - costs["committed_cny"])
    return costs.groupby(keys)[["discounted_cny", "avoidable_cny"]].sum().reset_index()


def _years(plan: Plan) -> pd.DataFrame:
    tables = plan.tables
    balance = tables["balance"]
    balance = balance[balance["stage"].isin(plan.scenario.settings.stages.compulsory)]
    shares = tables["shares"][tables["shares"]["county"] == "*"].set_index("school_year")
    table = pd.DataFrame(
        {
            "displaced": tables["enrolment"].groupby("school_year")["displaced"].sum(),
            "surplus": balance.groupby("school_year")["surplus"].sum(),
        }
    )
    table = table.join(shares[["share_excluding_purchased", "share_including_purchased"]])
    table = table.join(_costs(plan, ["school_year"]).set_index("school_year")["avoidable_cny"])
    return table.reset_index(names="school_year")
