"""The public face: every name leads to its verb or noun, and nothing is loaded before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import capsim


@pytest.mark.parametrize("name", capsim.__all__)
def test_every_name_is_there(name: str) -> None:
    found = getattr(capsim, name)
    assert callable(found)
    assert found.__name__ == name
    assert found.__module__.startswith("capsim.")


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="module 'capsim' has no attribute 'plan'"):
        _ = capsim.plan
    assert set(capsim.__all__) <= set(dir(capsim))


def test_verbs_stay_verbs_when_their_packages_are_imported() -> None:
    script = (
        "import capsim, capsim.scenario.synthetic, capsim.demand, capsim.simulate\n"
        "assert callable(capsim.simulate) and callable(capsim.generate)\n"
        "from capsim import load, simulate\n"
        "assert callable(simulate)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
