"""The constraint families, one module each; every docstring starts with its equation."""

from __future__ import annotations

from collections.abc import Callable

from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation
from capsim.model.constraints.capacity import (
    define_campus,
    define_class_size,
    define_fill,
    define_seats,
)
from capsim.model.constraints.enrolment import (
    define_admission,
    define_boarding,
    define_catchment,
    define_continuity,
    define_intake,
    define_placement,
)
from capsim.model.constraints.policy import (
    define_choice,
    define_floors,
    define_kindergarten,
    define_programme,
    define_reduction,
    define_share,
)
from capsim.model.constraints.private import (
    define_closure,
    define_conversion,
    define_following,
    define_handover,
    define_public_first,
    define_purchase,
)
from capsim.model.constraints.resources import define_land, define_money, define_staff

__all__ = ["FAMILIES"]

FAMILIES: dict[str, Callable[[Builder, Formulation], None]] = {
    "placement": define_placement,
    "seats": define_seats,
    "admission": define_admission,
    "intake": define_intake,
    "continuity": define_continuity,
    "conversion": define_conversion,
    "handover": define_handover,
    "closure": define_closure,
    "purchase": define_purchase,
    "following": define_following,
    "public_first": define_public_first,
    "share": define_share,
    "reduction": define_reduction,
    "programme": define_programme,
    "choice": define_choice,
    "money": define_money,
    "land": define_land,
    "staff": define_staff,
    "kindergarten": define_kindergarten,
    "floors": define_floors,
    "class_size": define_class_size,
    "fill": define_fill,
    "boarding": define_boarding,
    "catchment": define_catchment,
    "campus": define_campus,
}
"""Every family by the name of its switch, in the order in which rows are built."""
