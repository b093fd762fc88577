"""The public face: every name leads to its verb or noun, and nothing is loaded before."""

from __future__ import annotations

import pkgutil
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
    with pytest.raises(AttributeError, match="module 'capsim' has no attribute 'school'"):
        _ = capsim.school
    assert set(capsim.__all__) <= set(dir(capsim))


def test_verbs_stay_verbs_when_their_packages_are_imported() -> None:
    script = (
        "import pkgutil, importlib, capsim\n"
        "for found in pkgutil.walk_packages(capsim.__path__, 'capsim.'):\n"
        "    found.name.endswith('__main__') or importlib.import_module(found.name)\n"
        "assert all(callable(getattr(capsim, name)) for name in capsim.__all__)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_packages_are_attributes() -> None:
    there = {found.name for found in pkgutil.iter_modules(capsim.__path__)} - {"__main__"}
    script = "import capsim\n" + "\n".join(f"capsim.{name}" for name in sorted(there))
    script += "\nassert callable(capsim.certificate.certify) and callable(capsim.certify)"
    subprocess.run([sys.executable, "-c", script], check=True)
