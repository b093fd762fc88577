"""Built-in standards of a country: class sizes, posts, land, prices, each with its source."""

from .stage import Stage, countries, general, stages, standards

__all__ = ["Stage", "countries", "general", "stages", "standards"]
