"""Random networks for property tests."""

import numpy as np
from hypothesis import strategies as st

from capsim.construction.calendars import Calendar
from capsim.construction.network import NEVER, Network, Resource


@st.composite
def programmes(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.integers(1, 14))
    start = float(draw(st.sampled_from([0, 18993])))
    winter = Calendar.from_spans([(start + 20.0, start + 35.5), (start + 80.0, start + 81.0)])
    resources = (
        Resource("crew", "a", 3),
        Resource("crew", "b", 2),
        Resource("money", "*", 0, ((start, 4), (start + 15.0, 6), (start + 60.5, 30))),
        Resource("outside crew", "*", 2),
    )
    after, needs = [], []
    for i in range(size):
        after.append(
            tuple(sorted(rng.choice(i, min(i, rng.integers(0, 3)), replace=False).tolist()))
        )
        kinds = rng.choice(4, rng.integers(0, 3), replace=False).tolist()
        needs.append(tuple((r, int(rng.integers(1, 3))) for r in sorted(kinds)))
    release = [start + float(rng.choice([0.0, 0.0, 3.7, 30.0])) for _ in range(size)]
    if size > 3 and rng.random() < 0.2:
        release[1] = NEVER
    network = Network(
        start,
        tuple(range(size)),
        tuple(f"p{i}" for i in range(size)),
        tuple(after),
        tuple(needs),
        tuple(release),
        tuple(winter if rng.random() < 0.4 else None for _ in range(size)),
        resources,
    )
    days = rng.choice([0.0, 1.0, 2.0, 10.0], (4, size)) * rng.choice([1.0, 1.1, 0.37], (4, size))
    priority = draw(st.sampled_from([None, "random"]))
    key = None if priority is None else rng.integers(0, 3, size).astype(float).tolist()
    return network, days, key
