"""Cohorts: children move up a grade a year, ``N[g, t+1] = ratio[g] * N[g-1, t]``, and enter.

What a user adds or gives comes on top: it is carried on apart, as cohorts of its own, so that
nothing which scales the projection touches it.

Where some area of a county receives children in a grade although it had none or far fewer in the
grade below (a town's junior school fed by villages), ratios of single areas mean nothing: there
the county's children move up together and are shared out as the grade was last.

A grade that an area teaches without the grade below, or with far too few below, is an entry grade.
Where births are known, entry is births times the entry rate. Else an area's entry is its share of
the whole's pupils in the grade, and the whole's grades are known years ahead from the cohorts that
are already in school: a town's grade 7 follows the grade 6 of all schools.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.demand.ratios import (
    CHANCE,
    OUTSIDE,
    Array,
    Index,
    Mask,
    damped,
    divide,
    group_sum,
    kept,
    pairs,
    shifted,
    shrunk_slope,
    smooth_ratio,
    smoothed,
    variance_parts,
)

TREND_LEAST = 4
"""Observed years of entry from which on it may have a trend."""
TREND_DAMPING = 0.6
"""Of a trend of entry, each year: births turn sooner than ratios do."""
WINDOW = 5
"""Last years from which an entry grade, and the noise of its share, is known."""
WHOLE_ALPHA = 0.4
"""Weight of the last year in the progression of the whole."""
LARGEST_GAIN = 0.8
"""Most weight of the last year in an area's share."""
PHASING = 100.0
"""Pupils that count for what is usual, in what becomes of schools that open or close by grades."""
LEAST_GAIN = 1 / 3
"""Least weight of the last year in the entrants of an area."""


@dataclass(frozen=True, eq=False)
class Flow:
    """Ratios and entry that carry cohorts on.

    Attributes
    ----------
    ratio : array [area, grade, lead]
        Progression into the grade; not used in a first grade.
    entry : array [area, grade, lead]
        Persons entering a grade from outside; NaN where the grade is fed by the one below.
    county : array [area]
        Index of each area's county.
    share : array [area, grade]
        Share of its county's grade, where the county's children move up together; else NaN.
    whole : array [grade, lead]
        Progression of the whole, to which the areas are scaled so that a child who changes area
        on moving up is counted once; NaN where the areas stand for themselves.
    """

    ratio: Array
    entry: Array
    county: Index
    share: Array
    whole: Array


def closed(ratio: Array, entry: Array) -> Flow:
    """Build the flow of areas on their own, with nothing given and nobody added.

    Examples
    --------
    >>> one = np.ones((1, 2, 3))
    >>> entry = np.array([[[30.0, 20.0, 10.0], [np.nan] * 3]])
    >>> advance(np.array([[40.0, 50.0]]), closed(one, entry))
    array([[[40., 30., 20., 10.],
            [50., 40., 30., 20.]]])
    """
    areas, grades, leads = ratio.shape
    return Flow(
        ratio,
        entry,
        np.arange(areas),
        np.full((areas, grades), np.nan),
        np.full((grades, leads), np.nan),
    )


def advance(base: Array, flow: Flow) -> Array:
    """Carry the pupils of a base year forward.

    Parameters
    ----------
    base : array [area, grade]
        Persons in the base year.
    flow : Flow

    Returns
    -------
    array [area, grade, 1 + lead]
        Persons, the base year first; never negative.
    """
    out = np.empty((*base.shape, flow.ratio.shape[-1] + 1))
    out[..., 0] = base
    for lead in range(flow.ratio.shape[-1]):
        below = _from_below(out[..., lead])
        new = _moved(flow, below, lead) * _scale(flow, below, lead)
        entry = flow.entry[..., lead]
        out[..., lead + 1] = np.maximum(np.where(np.isnan(entry), new, entry), 0.0)
    return out


def _from_below(cells: Array) -> Array:
    below = np.zeros_like(cells)
    below[:, 1:] = cells[:, :-1]
    return below


def _moved(flow: Flow, below: Array, lead: int) -> Array:
    """Move children up by their area's ratio, or by their county's and shared out."""
    together = np.isfinite(flow.share)
    if together.any():
        pooled = group_sum(below, flow.county)[flow.county] * flow.share
        below = np.where(together, pooled, below)
    return np.asarray(below * flow.ratio[..., lead])


def _scale(flow: Flow, below: Array, lead: int) -> Array:
    """Return the factors ``[grade]`` that scale the areas to the ratio of the whole."""
    whole = flow.whole[:, lead] * below.sum(0)
    return np.where(np.isnan(whole), 1.0, divide(whole, _moved(flow, below, lead).sum(0), 1.0))


def with_given(
    pupils: Array, flow: Flow, added: Array, fixed: Array, follows: Mask
) -> tuple[Array, Mask]:
    """Put what is given on top of a projection, in full, and carry it on.

    Given numbers replace the projection where they stand, and what they differ by moves up where
    cohorts do. Children who are added come on top of both, and move up into every next grade, one
    that births feed as well: nobody was born for them.

    Parameters
    ----------
    pupils : array [area, grade, 1 + lead]
        The projection without them, persons.
    flow : Flow
    added : array [area, grade, lead]
        Net migration and new housing, persons.
    fixed : array [area, grade, lead]
        Given numbers; NaN where none is given.
    follows : array of bool [grade]
        Whether children move into the grade from the one before it at all.

    Returns
    -------
    pupils : array [area, grade, 1 + lead]
        Never negative.
    emptied : array of bool [area, grade, lead]
        Where more would leave than there are.

    Examples
    --------
    Ten more in grade 1, where births give 30 a year.

    >>> flow = closed(np.ones((1, 2, 2)), np.array([[[30.0, 30.0], [np.nan, np.nan]]]))
    >>> added = np.array([[[10.0, 0.0], [0.0, 0.0]]])
    >>> none = np.full((1, 2, 2), np.nan)
    >>> with_given(np.full((1, 2, 3), 30.0), flow, added, none, np.array([False, True]))[0]
    array([[[30., 40., 30.],
            [30., 30., 40.]]])
    """
    out, emptied = pupils.copy(), np.zeros(added.shape, dtype=bool)
    if not added.any() and np.isnan(fixed).all():
        return out, emptied
    apart, more = np.zeros((2, *pupils.shape[:2]))
    for lead in range(added.shape[-1]):
        scale = _scale(flow, _from_below(pupils[..., lead]), lead)
        enters = np.isfinite(flow.entry[..., lead])
        apart = np.where(enters, 0.0, _moved(flow, _from_below(apart), lead) * scale)
        below = _from_below(more)
        more = np.where(enters, below, _moved(flow, below, lead) * scale)
        more = np.where(follows, more, 0.0) + added[..., lead]
        plain, given = pupils[..., lead + 1], fixed[..., lead]
        apart = np.where(np.isnan(given), np.maximum(apart, -plain), given - plain)
        emptied[..., lead] = (added[..., lead] < 0) & (plain + apart + more <= 0)
        more = np.maximum(more, -(plain + apart))
        out[..., lead + 1] = plain + apart + more
    return np.maximum(out, 0.0), emptied


def crossing(
    above: Array, below: Array, county: Index, inflow: bool = True
) -> tuple[Mask, Array, Mask]:
    """Find grades where children cross area borders, and how a county shares them out.

    That is so where an area has far more in a grade than were below it, and where it has lately
    opened or closed the grade. Where the county too has far more than were below, they come from
    outside.

    Parameters
    ----------
    above, below : array [area, grade, year]
        Persons in the grade, and in the grade below a year before, in the last years; NaN where
        not observed, or not to be compared.
    county : array [area]
    inflow : bool
        Whether far more than were below mean that children come from elsewhere.

    Returns
    -------
    together : array of bool [area, grade]
        Whether the area's county moves up together into the grade.
    share : array [area, grade]
        Share of the county's children in the grade, over the years in which it was taught where it
        is now; NaN where areas stand alone.
    outside : array of bool [area, grade]
        Whether the grade is entered from outside the county.

    Examples
    --------
    >>> above, below = np.array([[[0.0]], [[90.0]]]), np.array([[[60.0]], [[0.0]]])
    >>> together, share, outside = crossing(above, below, np.array([0, 0]))
    >>> together.ravel(), share.ravel(), outside.any()
    (array([ True,  True]), array([0., 1.]), np.False_)
    """
    alike = settled(above, county)
    known = np.isfinite(above) & np.isfinite(below)
    entered, before = (np.where(known, part, 0.0).sum(-1) for part in (above, below))
    far = np.asarray(inflow & (entered > OUTSIDE * before))
    entered_all, before_all = (group_sum(part, county) for part in (entered, before))
    within = (before_all > 0) & ~(inflow & (entered_all > OUTSIDE * before_all))
    together = ((group_sum(far.astype(float), county) > 0) | ~alike.all(-1)) & within
    lately = np.where(alike[county], np.nan_to_num(above), 0.0).sum(-1)
    share = divide(lately, group_sum(lately, county)[county], 0.0)
    together = together[county]
    return together, np.where(together, share, np.nan), far & ~together


def untaught(above: Array, below: Array) -> Mask:
    """Mark where nobody is in a grade though there were enough below, ``[area, grade]``.

    Parameters
    ----------
    above, below : array [area, grade, year]
        As in `crossing`.
    """
    none = np.nansum(above, -1) == 0
    return np.asarray(none & (np.nansum(below, -1) > CHANCE))


def other_range(pupils: Array) -> Mask:
    """Mark the years in which an area taught a grade that it does not teach now, or did not.

    Parameters
    ----------
    pupils : array [area, grade, year]

    Examples
    --------
    Opened in the last year; closed in the last year; empty by chance.

    >>> other_range(np.array([[[0.0, 0.0, 20.0], [20.0, 20.0, 0.0], [3.0, 2.0, 0.0]]]))
    array([[[ True,  True, False],
            [ True,  True, False],
            [False, False, False]]])
    """
    taught = pupils > 0
    number = taught.sum(-1, keepdims=True)
    size = divide(np.nansum(pupils, -1, keepdims=True), number.astype(float), 0.0)
    return np.asarray((taught != taught[..., -1:]) & (size > CHANCE) & np.isfinite(pupils))


def crossing_pairs(pupils: Array, group: Index) -> tuple[Array, Array]:
    """Pair grades with those below them a year before, over groups inside which children may cross.

    An area is left out where one of the two was not observed, or where it has opened the grade
    below since: whoever was in the grade then had come from nowhere.

    Parameters
    ----------
    pupils : array [area, grade, year]
    group : array [area]

    Returns
    -------
    above, below : array [group, grade, year]
        Persons; both 0 where nobody was below.
    """
    opened = other_range(pupils) & (pupils == 0)
    above, below = shifted(pupils)
    keep = np.isfinite(above) & np.isfinite(below)
    keep[:, 1:, 1:] &= ~opened[:, :-1, :-1]
    above, below = (group_sum(part, group) for part in kept(keep, above, below))
    return np.where(below > 0, above, 0.0), below


def settled(pupils: Array, county: Index) -> Mask:
    """Mark the years in which a county's areas taught a grade where they teach it now.

    Parameters
    ----------
    pupils : array [area, grade, year]
    county : array [area]

    Returns
    -------
    array of bool [county, grade, year]
    """
    return np.asarray(group_sum(other_range(pupils).astype(float), county) == 0)


def structure(pupils: Array) -> tuple[Mask, Mask]:
    """Mark the grades that an area teaches in the last year, and the entry grades of them.

    Parameters
    ----------
    pupils : array [area, grade, year]

    Returns
    -------
    served, fed : array of bool [area, grade]
        A grade empty in the last year is still taught where so few were in it that it may be
        chance. An entry grade is one without the grade below it, or far larger than it.

    Examples
    --------
    A school of grades 1 and 2 opens grade 3 and has closed grade 1.

    >>> served, fed = structure(np.array([[[20.0, 0.0], [20.0, 20.0], [0.0, 20.0]]]))
    >>> served, fed
    (array([[False,  True,  True]]), array([[False,  True, False]]))
    """
    known = np.nan_to_num(pupils)
    before = known[..., -4:-1]
    mean = before.sum(-1) / max(before.shape[-1], 1)
    served = (known[..., -1] > 0) | ((mean > 0) & (mean < CHANCE))
    below_served = np.zeros_like(served)
    below_served[:, 1:] = served[:, :-1]
    above, below = (part[..., -WINDOW:].sum(-1) for part in pairs(pupils))
    outside = (below > 0) & (above > OUTSIDE * below)
    return served, served & (~below_served | outside)


def phasing(pupils: Array) -> tuple[Array, Array]:
    """Learn what becomes of areas that open or close grade by grade.

    A school that has just begun, or opened its highest grade a year after the one below, may teach
    the next one a year later; one that has just closed its lowest may close the next. How many do
    so is read off all that did before, leaning to how many areas teach the next grade at all (to
    open) and to no closing. A class so small that chance may have emptied it opens or closes
    nothing.

    Parameters
    ----------
    pupils : array [area, grade, year]

    Returns
    -------
    onward : array [area, grade]
        Progression into grades that are not taught yet; NaN where none is to be expected.
    staying : array [area, grade]
        Factor a year on the entrants of a grade whose grade below has just closed; else 1.

    Examples
    --------
    One school has opened grade by grade and teaches them all; another begins with its first grade:
    (0 + 100 x 1/2) / (0 + 100) of it go on to grade 2, (20 + 100) / (20 + 100) from there to 3.

    >>> first = [[20.0, 20, 20, 20], [0, 20, 20, 20], [0, 0, 20, 20]]
    >>> second = [[np.nan] * 3 + [30.0], [np.nan] * 3 + [0.0], [np.nan] * 3 + [0.0]]
    >>> onward, _ = phasing(np.array([first, second]))
    >>> onward[1]
    array([nan, 0.5, 1. ])
    """
    known = np.nan_to_num(pupils)
    there, taught = np.asarray(np.isfinite(pupils).any(1, keepdims=True)), known > 0
    # A school of the first year on record is no new one.
    began = np.maximum.accumulate(there, axis=-1)
    changed = np.zeros((2, *pupils.shape), dtype=bool)
    # A class of few may be there one year and not the next by chance.
    many = known > CHANCE
    changed[0, ..., 1:] = many[..., 1:] & ~taught[..., :-1] & (there | ~began)[..., :-1]
    changed[1, ..., 1:] = ~taught[..., 1:] & many[..., :-1] & there[..., 1:]
    again, begins = np.zeros((2, *pupils.shape), dtype=bool)
    again[:, 1:, 1:] = changed[0, :, :-1, :-1]
    begins[..., 1:] = there[..., 1:] & ~began[..., :-1]
    highest, lowest = changed[0] & ~_later(taught), changed[1] & ~_earlier(taught)
    highest &= again | begins
    lowest[:, :-1] &= taught[:, 1:]
    lowest[:, -1] = False
    opened, ended = (part[:, :-1, :-1] & there[..., 1:] for part in (highest, lowest))
    teaching = taught[..., -1].sum(0)
    usual = divide((taught[:, 1:, -1] & taught[:, :-1, -1]).sum(0) * 1.0, teaching[:-1] * 1.0, 0.0)
    onward, staying = np.full(pupils.shape[:2], np.nan), np.ones(pupils.shape[:2])
    came, were = (
        np.where(opened, part, 0.0).sum((0, -1)) for part in (known[:, 1:, 1:], known[:, :-1, :-1])
    )
    rate = (came + PHASING * usual) / (were + PHASING)
    after = np.logical_or.accumulate(highest[..., -1], axis=1)[:, :-1] & ~taught[:, 1:, -1]
    onward[:, 1:] = np.where(after, rate, np.nan)
    came, were = (
        np.where(ended, part, 0.0).sum((0, -1)) for part in (known[:, 1:, 1:], known[:, 1:, :-1])
    )
    rate = np.minimum((came + PHASING) / (were + PHASING), 1.0)
    staying[:, 1:] = np.where(lowest[:, :-1, -1], rate, 1.0)
    return onward, staying


def _later(taught: Mask) -> Mask:
    """Mark grades above which some grade is taught."""
    out = np.zeros_like(taught)
    out[:, :-1] = np.logical_or.accumulate(taught[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return out


def _earlier(taught: Mask) -> Mask:
    """Mark grades below which some grade is taught."""
    out = np.zeros_like(taught)
    out[:, 1:] = np.logical_or.accumulate(taught, axis=1)[:, :-1]
    return out


def entry_trend(entrants: Array) -> Array:
    """Return the trend of entrants ``[area, grade, year]``, by grade, as `shrunk_slope` does."""
    return shrunk_slope(entrants, (entrants > 0).astype(float), TREND_LEAST)


def whole_path(pupils: Array, leads: int, trend: bool = False) -> Array:
    """Project the pupils of the whole by grade, ``[grade, 1 + lead]``, by cohorts.

    The first grade stays, or follows its damped trend. Children may change area on moving up. A
    grade far larger than the one below is entered from outside and stays as well.
    """
    one = np.zeros(len(pupils), dtype=np.intp)
    ratio = smooth_ratio(*crossing_pairs(pupils, one), WHOLE_ALPHA)[0]
    out = np.empty((pupils.shape[1], leads + 1))
    out[:, 0] = np.nan_to_num(pupils[..., -1]).sum(0)
    out[0] = out[0, 0]
    if trend:
        out[0, 1:] *= damped(entry_trend(whole_index(pupils)[None, :1]), leads, TREND_DAMPING)[0]
    for lead in range(leads):
        out[1:, lead + 1] = np.where(ratio[1:] > OUTSIDE, out[1:, 0], out[:-1, lead] * ratio[1:])
    return out


def whole_index(pupils: Array) -> Array:
    """Return the pupils of the whole by grade relative to the last year, ``[grade, year]``.

    Chained over areas, each beside its last year observed, that taught the grade in both years or
    in neither, so that a gap in the records, an opening or a closure is no change: through a gap an
    area stays what it was, or its neighbours' change would be the whole's. To an empty year and the
    one beside it half a pupil is added, so that the chain does not break.
    """
    known, other, full = np.isfinite(pupils), other_range(pupils), np.nan_to_num(pupils)
    years = np.where(known, np.arange(pupils.shape[-1]), -1)
    last = np.maximum.accumulate(years, axis=-1)[..., :-1]
    before_at = np.maximum(last, 0)
    both = known[..., 1:] & (last >= 0)
    both &= other[..., 1:] == np.take_along_axis(other, before_at, -1)
    later = np.flip(np.maximum.accumulate(np.flip(years, -1), axis=-1), -1)[..., 1:] >= 0
    gap = ~known[..., 1:] & (last >= 0) & later
    was = np.take_along_axis(full, before_at, -1)
    pair = np.where(gap, was, full[..., 1:]), was
    now, before = (np.where(both | gap, part, 0.0).sum(0) for part in pair)
    growth = np.ones(pupils.shape[1:])
    half = np.where((now > 0) & (before > 0), 0.0, 0.5)
    growth[:, 1:] = (now + half) / (before + half)
    index = np.cumprod(growth, axis=-1)
    return np.asarray(index / index[:, -1:])


def _gain(values: Array, pupils: Array, least: float) -> Array:
    """Return the steady gain of a local-level model (Muth 1960), read off the noise of values.

    ``[area, grade]``, of positive values ``[area, grade, year]`` that stand for so many pupils; NaN
    where not observed.
    """
    square = np.diff(np.log(values), axis=-1) ** 2
    inverse = 1 / pupils[..., 1:] + 1 / pupils[..., :-1]
    square[square > 1] = np.nan
    person, lasting = variance_parts(square.reshape(-1, 1), inverse.reshape(-1, 1))
    recent = pupils[..., -WINDOW:]
    count = np.isfinite(recent).sum(-1)
    size = divide(np.nansum(recent, axis=-1), count.astype(float), 1.0)
    signal = divide(np.maximum(lasting, 1e-6) * size, np.maximum(person, 1e-6), 0.0)
    error = (signal + np.sqrt(signal**2 + 4 * signal)) / 2
    return np.asarray(np.clip(error / (1 + error), least, LARGEST_GAIN))


def smoothed_level(values: Array, gain: Array) -> Array:
    """Return the last level of values ``[..., year]`` smoothed by a gain; NaN are passed over."""
    level = values[..., 0]
    for year in range(1, values.shape[-1]):
        level = smoothed(level, values[..., year], gain)
    return np.asarray(level)


def steady_level(entrants: Array) -> Array:
    """Return the level of entrants ``[area, grade, year]`` as fast as their noise allows.

    The plain mean of up to three years, and never slower than that of the last three; 0 where none
    was observed.

    Examples
    --------
    >>> steady_level(np.array([[[100.0, 110.0, 120.0]]]))
    array([[110.]])
    """
    seen = np.where(entrants > 0, entrants, np.nan)
    gain = _gain(seen, seen, LEAST_GAIN)
    level, number = entrants[..., 0], np.isfinite(entrants[..., 0]).astype(float)
    for year in range(1, entrants.shape[-1]):
        new = entrants[..., year]
        number += np.isfinite(new)
        level = smoothed(level, new, np.maximum(gain, 1 / np.maximum(number, 1.0)))
    return np.nan_to_num(level)


def by_share(pupils: Array, fed: Mask, leads: int, trend: bool = False) -> Array:
    """Project entry as an area's smoothed share of the whole's grade, ``[area, grade, lead]``.

    How fast a share is smoothed is read off its own noise, so that a state follows its last years
    and a village school its long mean: the steady gain of a local-level model (Muth 1960).
    NaN in grades that are no entry grades.
    """
    seen = np.where(fed[..., None] & (pupils > 0), pupils, np.nan)
    share = seen / whole_index(pupils)
    level = smoothed_level(share, _gain(share, seen, 0.05))
    path = whole_path(pupils, leads, trend)
    return np.asarray(level[..., None] * divide(path[:, 1:], path[:, :1], 1.0))
