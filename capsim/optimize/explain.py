"""When not every rule can hold: which give way, where, when and by how much at the least.

Two questions are answered. *Together*: every child gets a place, each rule may be missed at a price
per unit, and the least total is found. *Alone*: one rule gives way while all others hold (in the
linear relaxation, so that what is called impossible alone is impossible).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csc_array, hstack

from capsim.lp import Program, solve
from capsim.lp.arrays import Array, Index
from capsim.optimize.model import Model

if TYPE_CHECKING:
    from capsim.optimize.plan import Explanation

CLEAR = 1e-4


@dataclass(frozen=True)
class Rule:
    """A rule that may give way: its rows, its unit, and what a unit weighs beside one place."""

    name: str
    blocks: tuple[str, ...]
    unit: str
    weight: float
    lacks: str


RULES = (
    Rule(
        "seats",
        ("seats.public", "seats.other_private"),
        "places",
        1.0,
        "{who} lacks {amount} places on 1 September {year}",
    ),
    Rule(
        "staff",
        ("staff.need",),
        "teachers",
        16.0,
        "{who} lacks {amount} teachers on 1 September {year}",
    ),
    Rule(
        "private share",
        ("share.cap",),
        "pupils",
        1.0,
        "{who} has {amount} private pupils above its cap on 31 December {year}",
    ),
    Rule(
        "reduction",
        ("reduction",),
        "pupils",
        1.0,
        "the ordered reduction is missed by {amount} pupils on 1 September {year}",
    ),
    Rule(
        "programme", ("programme",), "projects", 500.0, "programme {who} is {amount} projects short"
    ),
    Rule(
        "capital",
        ("money.capital",),
        "million RMB",
        5.0,
        "{who} lacks {amount} million RMB of capital in {year}",
    ),
    Rule(
        "recurrent money",
        ("money.recurrent",),
        "million RMB",
        5.0,
        "{who} lacks {amount} million RMB of recurrent money in school year {year}",
    ),
    Rule("land", ("land",), "mu", 30.0, "{who} lacks {amount} mu of land by {year}"),
    Rule(
        "kindergarten shares",
        ("kindergarten",),
        "children",
        1.0,
        "{who} misses its kindergarten shares by {amount} children in {year}",
    ),
    Rule(
        "floors",
        ("floors",),
        "children",
        1.0,
        "the floor {who} is missed by {amount} children on 31 December {year}",
    ),
    Rule(
        "class size",
        ("class_size.limit",),
        "classes",
        45.0,
        "{who} has {amount} large classes too many in {year}",
    ),
    Rule(
        "purchase ceilings",
        ("purchase.limit", "purchase.ceiling"),
        "places",
        1.0,
        "{who} would have to buy {amount} places above its ceiling in {year}",
    ),
    Rule(
        "smallest school",
        ("closure.too_small",),
        "pupils",
        1.0,
        "{who} has {amount} pupils fewer than its smallest size in {year}",
    ),
    Rule(
        "admission plans",
        ("admission",),
        "children",
        1.0,
        "{who} would have to admit {amount} children above its plan in {year}",
    ),
)

RULE_NAMES = ", ".join(rule.name for rule in RULES)


def explain_infeasible(model: Model) -> Explanation:
    """Return the least that must give way, in sentences and as a table.

    Table columns: ``rule``, ``who``, ``school_year``, ``unit``, ``short_by`` (0 where nothing),
    ``alone`` (how much of this rule would be enough by itself, all others holding; NaN where it
    would not).
    """
    from capsim.optimize.plan import Explanation

    must = _every_child(model)
    together, slack = _elastic(must, RULES)
    found = solve(together, gap=0.01, time_limit=120.0)
    alone = {rule.name: _alone(must, rule) for rule in RULES}
    if found.x is None:
        table = _alone_table(alone)
        return Explanation(
            (
                f"The rules contradict each other even where these may bend: {RULE_NAMES}.",
                *_alone_sentences(alone),
            ),
            table,
        )
    short = _short(model, must, slack, found.x[must.matrix.shape[1] :])
    short["alone"] = short["rule"].map(alone)
    sentences = [*_sentences(short), *_alone_sentences(alone)]
    missing = [name for name in alone if name not in set(short["rule"])]
    table = pd.concat(
        [short, _alone_table({name: alone[name] for name in missing})], ignore_index=True
    )
    return Explanation(tuple(sentences), table)


def _every_child(model: Model) -> Program:
    """Every child has a place, and cost does not matter."""
    program, u = model.program, model.columns.shortfall.ravel()
    upper = program.upper.copy()
    upper[u] = 0.0
    return replace(program, cost=np.zeros_like(program.cost), upper=upper, offset=0.0)


def _elastic(program: Program, rules: tuple[Rule, ...]) -> tuple[Program, list[tuple[Rule, Index]]]:
    """Add a column per row of the rules that makes it give way, at the rule's weight."""
    parts, cost, slack = [], [], []
    for rule in rules:
        rows = np.concatenate([program.rows_of(name) for name in rule.blocks])
        sign = np.where(np.isfinite(program.row_lower[rows]), 1.0, -1.0)
        shape = (program.matrix.shape[0], len(rows))
        parts.append(coo_array((sign, (rows, np.arange(len(rows)))), shape=shape))
        cost.append(np.full(len(rows), rule.weight))
        slack.append((rule, rows))
    extra = sum(len(rows) for _, rows in slack)
    wide = Program(
        cost=np.concatenate([program.cost, *cost]),
        lower=np.concatenate([program.lower, np.zeros(extra)]),
        upper=np.concatenate([program.upper, np.full(extra, np.inf)]),
        integer=np.concatenate([program.integer, np.zeros(extra, bool)]),
        matrix=csc_array(hstack([program.matrix, *parts], format="csc")),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
    )
    return wide, slack


def _alone(program: Program, rule: Rule) -> float:
    """Least total by which this rule alone must give way; NaN where it is not enough."""
    wide, slack = _elastic(program.relaxed(), (rule,))
    if not len(slack[0][1]):
        return float("nan")
    found = solve(wide, time_limit=60.0)
    if found.status != "optimal" or found.x is None:
        return float("nan")
    return float(found.objective / rule.weight)


def _short(
    model: Model, program: Program, slack: list[tuple[Rule, Index]], value: Array
) -> pd.DataFrame:
    """List what gave way: rule, who, year and amount."""
    label = _Labels(model, program)
    records, at = [], 0
    for rule, rows in slack:
        amount = value[at : at + len(rows)]
        at += len(rows)
        for i in np.flatnonzero(amount > CLEAR):
            who, year = label(int(rows[i]))
            records.append((rule.name, who, year, rule.unit, float(amount[i])))
    table = pd.DataFrame(records, columns=["rule", "who", "school_year", "unit", "short_by"])
    keys = ["rule", "who", "school_year", "unit"]
    return table.groupby(keys, sort=False)["short_by"].sum().reset_index()


class _Labels:
    """Say whose row it is, and of which year: counties and stages rather than single schools."""

    def __init__(self, model: Model, program: Program) -> None:
        given = model.given
        county = given.space.counties[given.providers.county]
        self.county = dict(zip(given.providers.school, county, strict=True))
        self.blocks = [b for b in program.rows if b.count]
        self.starts = np.array([b.start for b in self.blocks])

    def __call__(self, row: int) -> tuple[str, int]:
        block = self.blocks[int(np.searchsorted(self.starts, row, side="right")) - 1]
        parts = [column[row - block.start] for column in block.labels]
        year = int(parts[-1]) if parts and not isinstance(parts[-1], str) else 0
        names = [str(part) for part in (parts[:-1] if year else parts)]
        if block.name in ("seats.public", "seats.other_private", "admission", "closure.too_small"):
            return f"county {self.county[names[0]]}, {names[1]}", year
        if block.name.startswith("floors."):
            return block.name.removeprefix("floors.").replace("_", " "), year
        if not names:
            return "the whole", year
        first = "the whole" if names[0] == "*" else names[0]
        if first != "the whole" and block.name not in ("programme", "kindergarten"):
            first = f"county {first}"
        return ", ".join([first, *names[1:]]), year


def _sentences(short: pd.DataFrame, most: int = 12) -> list[str]:
    if short.empty:
        return [
            "Every rule can hold in the elastic model: "
            "the contradiction lies in rules that cannot be bent."
        ]
    lacks = {rule.name: rule.lacks for rule in RULES}
    order = short.assign(w=short["short_by"] * short["rule"].map({r.name: r.weight for r in RULES}))
    order = order.sort_values("w", ascending=False, kind="stable")
    out = ["Not every rule can hold together. The least that has to give way, all at once:"]
    first = order.head(most)
    columns = (first[name].tolist() for name in ("rule", "who", "school_year", "short_by"))
    for rule, who, year, amount in zip(*columns, strict=True):
        text = lacks[rule].format(who=who, amount=_amount(amount), year=year)
        out.append(text[0].upper() + text[1:] + ".")
    if len(order) > most:
        out.append(f"And {len(order) - most} smaller gaps, listed in the table.")
    return out


def _alone_sentences(alone: dict[str, float]) -> list[str]:
    unit = {rule.name: rule.unit for rule in RULES}
    enough = {name: value for name, value in alone.items() if np.isfinite(value)}
    if not enough:
        return ["No single one of these rules is enough to bend while all the others hold."]
    parts = [
        f"{name} by {_amount(value)} {unit[name]}"
        for name, value in enough.items()
        if value > CLEAR
    ]
    return (
        [
            "It would also be enough to bend one rule alone (all years together): "
            + "; or ".join(parts)
            + "."
        ]
        if parts
        else []
    )


def _alone_table(alone: dict[str, float]) -> pd.DataFrame:
    unit = {rule.name: rule.unit for rule in RULES}
    rows = [(name, "", 0, unit[name], 0.0, value) for name, value in alone.items()]
    return pd.DataFrame(rows, columns=["rule", "who", "school_year", "unit", "short_by", "alone"])


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}".rstrip("0").rstrip(".")
