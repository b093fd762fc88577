"""Variants of one scenario: a grid of settings, one at a time, and what moves the result most."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from capsim.comparison.differences import Proof, shown
from capsim.i18n.language import Message
from capsim.scenario.scenario import Scenario

Factors = Mapping[str, Mapping[str, Any]]
"""By scenario's name, the settings in which it was made to differ."""


def parse_settings(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Read settings and their values as a command line gives them.

    Values are written as in ``scenario.toml``, separated by commas; what is no such value is text.

    Raises
    ------
    ValueError
        A text is not ``KEY=VALUE,VALUE…``, or a key is given twice.

    Examples
    --------
    >>> parse_settings(["costs.discount_rate=0.03,0.05", "policy.share_scope=whole,county"])
    {'costs.discount_rate': [0.03, 0.05], 'policy.share_scope': ['whole', 'county']}
    """
    settings: dict[str, list[Any]] = {}
    for text in texts:
        key, sign, values = (part.strip() for part in text.partition("="))
        if not sign or not key or not values:
            raise ValueError(Message("{text} is not KEY=VALUE,VALUE…", {"text": repr(text)}))
        if key in settings:
            raise ValueError(Message("{key} is given twice", {"key": key}))
        try:
            (listed,) = tomllib.loads(f"v = [{values}]").values()
        except tomllib.TOMLDecodeError:
            listed = [value.strip() for value in values.split(",")]
        settings[key] = listed
    return settings


def grid(base: Scenario, values: Mapping[str, Sequence[Any]]) -> tuple[list[Scenario], Factors]:
    """Make a scenario for every combination of values, the base before them.

    Raises
    ------
    capsim.ScenarioError
        A combination is no sound scenario.
    """
    combinations = itertools.product(*values.values())
    return _made(base, [dict(zip(values, each, strict=True)) for each in combinations])


def one_at_a_time(
    base: Scenario, values: Mapping[str, Sequence[Any]]
) -> tuple[list[Scenario], Factors]:
    """Make a scenario for every value of every setting, all else as in the base."""
    return _made(base, [{key: value} for key, each in values.items() for value in each])


def _made(base: Scenario, changes: Sequence[Mapping[str, Any]]) -> tuple[list[Scenario], Factors]:
    scenarios, factors = [base], dict[str, Mapping[str, Any]]()
    for change in changes:
        name = ", ".join(f"{key}={shown(value)}" for key, value in change.items())
        scenarios.append(base.variant(change, name=f"{base.name}: {name}"))
        factors[scenarios[-1].name] = change
    return scenarios, factors


def sweep_of(factors: Factors) -> str:
    """Return what can be drawn of a grid: a ``tornado``, a ``heat`` map, or nothing.

    Examples
    --------
    >>> sweep_of({"s": {"a": 1}}), sweep_of({"s": {"a": 1, "b": 2}}), sweep_of({})
    ('tornado', 'heat', '')
    """
    keys = {key for change in factors.values() for key in change}
    if factors and all(len(change) == 1 for change in factors.values()):
        return "tornado"
    return "heat" if len(keys) == 2 and all(len(c) == 2 for c in factors.values()) else ""


def tornado(summary: pd.DataFrame, factors: Factors, base: str, column: str) -> pd.DataFrame:
    """Rank settings by how far they move a column of the summary, one at a time.

    Parameters
    ----------
    summary
        Of a comparison.
    factors
        As `one_at_a_time` gives them; scenarios that differ in several settings are passed over.
    base
        Name of the scenario that all differ from.
    column
        Of `summary`.

    Returns
    -------
    DataFrame
        key, low_value, high_value (the values with the least and the largest result, the base's own
        being blank), low, base, high (results), range, differs (whether the two results do so
        because of the setting: their plans are apart, see `Proof.apart`), no_plan (values without a
        plan, joined by ``;``); those that differ first, the widest first. A setting without any
        result is NaN and comes last.
    """
    results = dict(zip(summary["scenario"], summary[column].astype(float), strict=True))
    proofs = {row["scenario"]: Proof.of(row) for row in summary.to_dict("records")}
    rows = []
    single = {name: change for name, change in factors.items() if len(change) == 1}
    for key in dict.fromkeys(key for change in single.values() for key in change):
        named = {"": base}
        named |= {shown(change[key]): name for name, change in single.items() if key in change}
        by_value = {value: results[name] for value, name in named.items()}
        known = {value: result for value, result in by_value.items() if result == result}
        without = ";".join(value for value in by_value if value and value not in known)
        if not known:
            rows.append((key, "", "", np.nan, results[base], np.nan, np.nan, False, without))
            continue
        low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
        ends, spread = (known[low], results[base], known[high]), known[high] - known[low]
        differs = spread > 0 and proofs[named[low]].apart(proofs[named[high]])
        rows.append((key, low, high, *ends, spread, differs, without))
    names = ["key", "low_value", "high_value", "low", "base", "high", "range", "differs", "no_plan"]
    table = pd.DataFrame(rows, columns=names)
    order = ["differs", "range"]
    return table.sort_values(order, ascending=False, kind="stable", ignore_index=True)


def heat(summary: pd.DataFrame, factors: Factors, column: str) -> pd.DataFrame:
    """Tabulate a column of the summary over two settings; NaN where there is no plan.

    Returns
    -------
    DataFrame
        Index and columns: the values of the first and second setting, in the order given, as text;
        their names are the settings.

    Raises
    ------
    ValueError
        The scenarios do not differ in exactly two settings.
    """
    keys = list(dict.fromkeys(key for change in factors.values() for key in change))
    if sweep_of(factors) != "heat":
        raise ValueError(f"a heat map is of two settings, not of {', '.join(keys) or 'none'}")
    results = summary.set_index("scenario")[column].astype(float)
    axes = [list(dict.fromkeys(shown(change[key]) for change in factors.values())) for key in keys]
    table = pd.DataFrame(
        np.nan, index=pd.Index(axes[0], name=keys[0]), columns=pd.Index(axes[1], name=keys[1])
    )
    for name, change in factors.items():
        table.loc[shown(change[keys[0]]), shown(change[keys[1]])] = results[name]
    return table
