"""The constraint families, one module each; every docstring starts with its equation."""

from __future__ import annotations

from collections.abc import Callable

from capsim.lp import Builder
from capsim.optimize.families.admission import define_admission
from capsim.optimize.families.boarding import define_boarding
from capsim.optimize.families.catchment import define_catchment
from capsim.optimize.families.class_size import define_class_size
from capsim.optimize.families.closure import define_closure
from capsim.optimize.families.continuity import define_continuity
from capsim.optimize.families.conversion import define_conversion
from capsim.optimize.families.floors import define_floors
from capsim.optimize.families.kindergarten import define_kindergarten
from capsim.optimize.families.land import define_land
from capsim.optimize.families.money import define_money
from capsim.optimize.families.placement import define_placement
from capsim.optimize.families.programme import define_programme
from capsim.optimize.families.purchase import define_purchase
from capsim.optimize.families.reduction import define_reduction
from capsim.optimize.families.seats import define_seats
from capsim.optimize.families.share import define_share
from capsim.optimize.families.staff import define_staff
from capsim.optimize.parts import Parts

FAMILIES: dict[str, Callable[[Builder, Parts], None]] = {
    "placement": define_placement,
    "seats": define_seats,
    "admission": define_admission,
    "continuity": define_continuity,
    "conversion": define_conversion,
    "closure": define_closure,
    "purchase": define_purchase,
    "share": define_share,
    "reduction": define_reduction,
    "programme": define_programme,
    "money": define_money,
    "land": define_land,
    "staff": define_staff,
    "kindergarten": define_kindergarten,
    "floors": define_floors,
    "class_size": define_class_size,
    "boarding": define_boarding,
    "catchment": define_catchment,
}
"""Every family by the name of its switch, in the order in which rows are built."""
