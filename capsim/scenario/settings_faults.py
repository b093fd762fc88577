"""What pydantic found wrong with settings, as faults."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from .document import merge
from .faults import Fault, nearest
from .settings import Settings

__all__ = ["faults_of", "without_faults"]

STAND_INS: Mapping[str, Any] = {"name": "-", "costs": {"discount_rate": 0.0}}
"""What must be given, and no check of tables asks for."""


def faults_of(error: ValidationError, file: str) -> list[Fault]:
    """Give every error as a fault with its dotted key."""
    faults = []
    for found in error.errors(include_url=False):
        place = [str(part) for part in found["loc"] if part != "[key]"]
        dotted = ".".join(place)
        kind = found["type"]
        if kind == "extra_forbidden":
            known = _known(place[:-1])
            faults.append(
                Fault(file, None, dotted, place[-1], f"a key: {nearest(place[-1], known)}")
            )
        elif kind == "missing":
            faults.append(Fault(file, None, dotted, "", "a value"))
        elif kind == "too_short":
            faults.append(Fault(file, None, dotted, _shown(found["input"]), "at least one"))
        else:
            message = str(found["msg"]).removeprefix("Value error, ")
            expected = message[:1].lower() + message[1:]
            expected = expected.removeprefix("input should be ")
            faults.append(Fault(file, None, dotted, _shown(found["input"]), expected))
    return faults


def without_faults(plain: Mapping[str, Any], error: ValidationError) -> dict[str, Any]:
    """Leave out of settings what is wrong with them, for all else to be checked.

    Examples
    --------
    >>> try:
    ...     Settings.model_validate({"name": "x", "title": 5, "costs": {"discount_rate": "?"}})
    ... except ValidationError as error:
    ...     without_faults({"name": "x", "title": 5, "costs": {"discount_rate": "?"}}, error)
    {'name': 'x', 'costs': {'discount_rate': 0.0}}
    """
    left: dict[str, Any] = copy.deepcopy(dict(plain))
    for found in error.errors(include_url=False):
        *path, last = [str(part) for part in found["loc"] if part != "[key]"] or [""]
        inside: Any = left
        for part in path:
            inside = inside.get(part) if isinstance(inside, dict) else None
        if isinstance(inside, dict):
            inside.pop(last, None)
    return merge(STAND_INS, left)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _known(place: list[str]) -> list[str]:
    """Name the keys of the section at a place; names of stages, programmes are passed over."""
    model: type[BaseModel] = Settings
    for part in place:
        field = model.model_fields.get(part)
        if field is None:
            continue
        inner = field.annotation
        if get_origin(inner) is not None and issubclass(get_origin(inner) or object, Mapping):
            inner = get_args(inner)[1]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)
