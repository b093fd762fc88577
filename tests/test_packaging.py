"""What is shipped, and the commands that a newcomer types."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]


def tracked():
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True
    )
    return [TOP / name for name in listing.stdout.split("\0") if name]


def test_import_loads_no_third_party_module():
    script = (
        "import sys; before = set(sys.modules); import capsim;"
        "print(*sorted({n.split('.')[0] for n in set(sys.modules) - before}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert loaded - set(sys.stdlib_module_names) == {"capsim"}


def test_help_loads_no_number_library():
    script = (
        "import sys, capsim.cli\n"
        "try:\n    capsim.cli.console.app(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(*{'numpy', 'pandas', 'pydantic', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == ""


def test_the_command_is_the_package_run_as_a_program():
    ran = subprocess.run(
        [sys.executable, "-m", "capsim", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"capsim {PROJECT['version']}\n"
    assert PROJECT["scripts"]["capsim"] == "capsim.__main__:main"


@pytest.mark.parametrize("name", ["flagship", "test", ".ci/run"])
def test_commands_can_be_started(name):
    path = TOP / name
    assert os.access(path, os.X_OK)
    shell = path.read_text().splitlines()[0].removeprefix("#!").split()[-1].rsplit("/", 1)[-1]
    subprocess.run([shell, "-n", str(path)], check=True)


def test_readme_opens_with_the_two_commands():
    opening = (TOP / "README.md").read_text().split("\n## ")[0]
    commands = re.findall(r"^\./\S+", opening, flags=re.MULTILINE)
    assert commands == ["./flagship", "./test"]
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", opening):
        assert (TOP / picture).is_file(), picture


def test_links_of_the_pages_lead_somewhere():
    pages = [path for path in tracked() if path.suffix == ".md" and path.is_file()]
    for page in pages:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_no_address_of_a_package_registry_and_no_path_of_a_machine():
    registry = re.compile(r"py" r"pi\.org|pythonhosted\.org|npm" r"js\.(com|org)|crates\.io")
    machine = re.compile(r"(?<![\w.])/(ro" r"ot|ho" r"me|wo" r"rk|t" r"mp)/")
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".sh", ""} and path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not registry.search(text), path
            assert not machine.search(text), path


def test_runs_on_three_pythons_with_the_named_libraries():
    assert PROJECT["requires-python"] == ">=3.11"
    needed = {re.split(r"[<>=!~\[]", item)[0] for item in PROJECT["dependencies"]}
    assert {"numpy", "scipy", "pandas", "pulp", "highspy", "simpy", "matplotlib"} <= needed
    assert {"pydantic", "typer", "rich", "openpyxl", "jinja2"} <= needed
    pinned = {re.split(r"[<>=!~\[]", item)[0]: item for item in PROJECT["dependencies"]}
    assert "!=1.14.0" in pinned["highspy"]
    assert "<4" in pinned["pulp"]
    assert set(PROJECT["optional-dependencies"]) == {"dask", "geo", "peers", "dev"}


@pytest.mark.slow
def test_the_wheel_holds_the_data_of_the_package(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*build, str(TOP)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {path for path in tracked() if path.is_relative_to(TOP / "capsim")}
    assert {str(path.relative_to(TOP)) for path in shipped if path.is_file()} <= names
