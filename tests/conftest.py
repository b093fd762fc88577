"""A small city on disk, for tests of the command line."""

import pytest

from capsim.scenario import generate


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Folder of a city of two areas, planned for two years."""
    folder = tmp_path_factory.mktemp("city") / "city"
    small = {"stages": ("primary", "junior"), "years": (2021, 2022), "name": "city"}
    generate(2, 8000, 0, **small).save(folder)
    return folder
