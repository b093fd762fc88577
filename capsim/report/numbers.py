"""Numbers as English readers write them."""

from __future__ import annotations


def count(number: float) -> str:
    """Persons or places as English readers write them.

    Examples
    --------
    >>> count(309800.2), count(-12), count(-0.2)
    ('309,800', '−12', '0')
    """
    text = f"{number:,.0f}"
    return "0" if text == "-0" else text.replace("-", "−")


def money(cny: float) -> str:
    """RMB in the unit that keeps the number short.

    Examples
    --------
    >>> money(4.61e9), money(-25_300_000), money(8_200)
    ('4.61 bn RMB', '−25.3 million RMB', '8,200 RMB')
    """
    if abs(cny) >= 1e9:
        text = f"{cny / 1e9:,.2f} bn"
    elif abs(cny) >= 1e6:
        text = f"{cny / 1e6:,.1f} million"
    else:
        text = count(cny)
    return f"{text} RMB".replace("-", "−")


def share(fraction: float) -> str:
    """Fraction as a percentage with two decimals.

    Examples
    --------
    >>> share(0.05)
    '5.00 %'
    """
    return f"{100 * fraction:.2f} %"
