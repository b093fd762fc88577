"""The stages that settings know, built-in ones and new ones."""

from __future__ import annotations

from capsim.standards import Stage
from capsim.standards import stages as standard_stages

from .settings import Settings

__all__ = ["stages_of"]


def stages_of(settings: Settings) -> dict[str, Stage]:
    """Every stage that settings know: built-in ones with overrides, then new ones."""
    overrides = {
        name: {key: value for key, value in part if value is not None}
        for name, part in settings.standards.items()
    }
    return standard_stages(settings.country, overrides, settings.costs.teacher_cny)
