"""Pages say what is so: code and commands run, each page is listed, the reference is current."""

import contextlib
import doctest
import io
import itertools
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import capsim
from benchmarks import __main__ as benchmarks
from capsim.cli import app
from capsim.io.executors import processes

TOP = Path(__file__).parents[1]
DOCS = TOP / "docs"
SCENARIOS = sorted((TOP / "scenarios").glob("*/README.md"))
PAGES = [TOP / "README.md", *sorted(DOCS.glob("*.md")), *SCENARIOS]
BY_NAME = {page.relative_to(TOP).as_posix(): page for page in PAGES}

NOT_RUN = {
    "./flagship": "plans the flagship",
    "./test": "is what runs this test",
    "pip install capsim": "is done where tests run",
}
"""Commands in `sh` blocks that this file does not run, and why."""

MEASUREMENTS = "python -m benchmarks"
"""How commands begin that measure for minutes: here only what they ask for is compared with what
there is; `tests/benchmarks` runs them on small sizes."""

OTHER_TESTS = {
    "docs/api.md": "docstrings run where they stand",
    "docs/extend.md": "tests/test_extend.py runs it",
    "docs/own-rules.md": "tests/test_own_rules.py runs it",
}
"""Pages whose code other tests run."""

NOT_CODE = {
    "docs/construction.md": ["def work(job):", "def acceptance(job):"],  # what the kernel does
    "docs/simulation.md": ["from distributed import Client"],  # needs a cluster
}
"""Beginnings of blocks that are shown and not run here."""

MISSED = 3
TUTORIALS = {f"docs/tutorial-{country}.md" for country in ("china", "england", "usa")}
SLOW_PAGES = {f"docs/{n}.md" for n in ("compare", "harden", "report", "simulation", "sweeps")}
SLOW_PAGES |= TUTORIALS | {"docs/tradeoffs.md", "docs/uncertainty.md"}
MADE = "python scripts/make_table_sets.py "
"""How a command begins that makes the files of a tutorial."""
SMALL = {"stages": ("primary", "junior"), "years": (2021, 2023)}


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.M)


def commands(page):
    lines = "".join(blocks(page, "sh")).splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def slow(name, hard):
    return pytest.param(name, marks=pytest.mark.slow) if hard else name


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with small cities where the shipped scenarios stand."""
    monkeypatch.chdir(tmp_path)
    city = capsim.generate(2, 6000, seed=1, name="prefecture-2022", **SMALL)
    city.save(Path("scenarios/prefecture-2022"))
    fewer = {"births.births": 0.9}
    city.variant(scale=fewer, name="low-births").save(Path("scenarios/low-births"))
    nothing = {"policy.purchase_ceiling_share": 0.0}
    city.variant(nothing, name="no-purchase").save(Path("scenarios/no-purchase"))
    drawn = {"travel.nearest": {"junior": 2}, "catchments.stages": ["junior"]}
    city.variant(drawn, name="county-schools").save(Path("scenarios/county-schools"))
    for folder in sorted(Path("scenarios").iterdir()):
        # A folder comes before the example of its name.
        shutil.copytree(folder, folder.name)
    return city


def make_tables(line):
    """Make the files of a tutorial, fewer schools than it says."""
    script = runpy.run_path(str(TOP / "scripts" / "make_table_sets.py"))
    script["main"]([*shlex.split(line.removeprefix(MADE)), "--schools", "12"])


def run(line):
    words = shlex.split(line)
    assert words[0] in ("capsim", ".venv/bin/capsim"), f"{line}: neither run nor in NOT_RUN"
    return CliRunner().invoke(app, words[1:])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, page in BY_NAME.items() if commands(page)])
def test_commands_of_a_page_run_in_their_order(name, here):
    given = commands(BY_NAME[name])
    if not any(re.match(r"capsim (new|import \S+) my-city", line) for line in given):
        capsim.generate(2, 6000, seed=0, name="my-city", **SMALL).save(Path("my-city"))
    for line in given:
        if line in NOT_RUN or line.startswith(MEASUREMENTS):
            continue
        if line.startswith(MADE):
            make_tables(line)
            continue
        done = run(line)
        assert done.exit_code in (0, MISSED), f"{line}\n{done.output}"
        if done.exit_code == MISSED:
            assert not line.startswith("capsim run my-city"), (
                "the tutorial's city meets its targets"
            )


@pytest.mark.parametrize("name", [n for n, p in BY_NAME.items() if MEASUREMENTS in p.read_text()])
def test_measurements_that_pages_name_ask_for_what_there_is(name, capsys):
    text = BY_NAME[name].read_text("utf-8")
    for line in {*re.findall(rf"`({MEASUREMENTS}[^`]*)`", text), *commands(BY_NAME[name])}:
        if not line.startswith(MEASUREMENTS):
            continue
        words = re.sub(r"[][]|[A-Z]+\b", "", line.removeprefix(MEASUREMENTS)).split()
        words = [word.removeprefix(".") for word in words]
        named = words[:1] if words[:1] and words[0] in benchmarks.COMMANDS else []
        with pytest.raises(SystemExit) as ended:
            benchmarks.main([*named, "--help"])
        assert ended.value.code == 0
        known = capsys.readouterr().out
        for word in words[len(named) :]:
            assert re.search(rf"(?<![\w-]){word}(?![\w-])", known) or word.isdigit(), (line, word)


def test_tutorial_begins_as_it_says(here):
    """The quick half of it: the city is made and checked, as the page says it is."""
    made, checked = commands(DOCS / "tutorial.md")[:2]
    assert run(made).exit_code == 0
    shown = run(checked)
    assert shown.exit_code == 0
    assert "2,308 private pupils fewer on 1 September 2022" in shown.output
    assert "12.83 %" in shown.output


@pytest.mark.parametrize(
    "name",
    [
        slow(name, name.endswith("tutorial.md"))
        for name, page in BY_NAME.items()
        if blocks(page, "pycon") and name not in OTHER_TESTS
    ],
)
def test_sessions_of_a_page_are_as_shown(name, here):
    page = BY_NAME[name]
    if page.name == "api.md":
        pytest.skip("docstrings, run where they stand")
    for line in commands(page):
        if line.startswith("capsim new"):
            assert run(line).exit_code == 0
    names = {}
    for block in blocks(page, "pycon"):
        test = doctest.DocTestParser().get_doctest(block, names, name, str(page), 0)
        said = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        assert runner.run(test, out=said.write, clear_globs=False).failed == 0, said.getvalue()
        names = test.globs


@pytest.mark.parametrize(
    "name",
    [
        slow(name, name in SLOW_PAGES)
        for name, page in BY_NAME.items()
        if blocks(page, "python") and name not in OTHER_TESTS
    ],
)
def test_code_of_a_page_runs(name, here):
    """Blocks run in their order, on a small city; what a page calls `city` or `scenario` is it."""
    left_out = NOT_CODE.get(name, [])
    for line in commands(BY_NAME[name]):
        if line.startswith(MADE):
            make_tables(line)
    names = {"capsim": capsim, "city": here, "scenario": here}
    code = "\n".join(blocks(BY_NAME[name], "python"))
    with contextlib.ExitStack() as stack:
        if re.search(r"\bpool\b", code) and " as pool" not in code:
            names["pool"] = stack.enter_context(processes(1))
        if re.search(r"\bplan\b", code):
            names["plan"] = capsim.optimize(here)
        if "wide_table" in code:
            keys = {"index": ["area", "school_year"], "columns": "grade", "values": "pupils"}
            wide = here.table("pupils").pivot_table(aggfunc="sum", **keys)
            names["wide_table"] = wide.reset_index()
        if re.search(r"\blow\b", code):
            names |= {
                kind: here.variant(scale={"births.births": f})
                for kind, f in (("low", 0.9), ("high", 1.1))
            }
        for block in blocks(BY_NAME[name], "python"):
            if not any(block.startswith(start) for start in left_out):
                stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
                exec(compile(smaller(block), name, "exec"), names)


def smaller(block):
    """The block with fewer draws, points and variants: it shows how, and is no benchmark."""
    block = block.replace('capsim.example("', 'capsim.load("')
    block = re.sub(r"draws=[\d_]+", "draws=8", block)
    block = block.replace("range(100_000, 320_000, 20_000)", "range(100, 320, 110)")
    block = block.replace("points=9", "points=5").replace("[0.5, 0.8, 0.9, 0.95, 0.99]", "[0.5]")
    return block


def test_every_page_is_listed_once():
    listed = re.findall(r"\]\(([^)]+\.md)\)", (DOCS / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(p.name for p in DOCS.glob("*.md") if p.name != "README.md")
    for page in ("docs/README.md", "docs/tutorial.md", "docs/own-data.md", "docs/honesty.md"):
        assert f"({page})" in (TOP / "README.md").read_text("utf-8")


def test_reference_is_current_and_complete():
    made = runpy.run_path(str(TOP / "scripts" / "make_api_reference.py"))
    named = [name for names in made["CHAPTERS"].values() for name in names]
    assert sorted(named) == sorted(capsim.__all__)
    told = "python scripts/make_api_reference.py makes it anew"
    assert made["PAGE"].read_text("utf-8") == made["page"](), told


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_commands_named_in_the_text_exist_with_their_options(name):
    known = typer.main.get_command(app).commands
    text = BY_NAME[name].read_text("utf-8")
    for line in re.findall(r"`(?:\.venv/bin/)?capsim ([a-z]+\b[^`]*)`", text):
        words = line.split()
        assert words[0] in known, line
        options = {
            option for p in known[words[0]].params for option in (*p.opts, *p.secondary_opts)
        }
        for option in re.findall(r"--[a-z-]+", line):
            assert option in options | {"--help"}, line


def test_readme_names_every_command():
    text = (TOP / "README.md").read_text("utf-8")
    for name in typer.main.get_command(app).commands:
        assert re.search(rf"`(capsim )?{name} ", text), name


def test_common_options_are_options_of_the_commands_named_beside_them():
    known = typer.main.get_command(app).commands
    text = (DOCS / "commands.md").read_text("utf-8").split("## Common options")[1]
    rows = [row.split("|")[1:3] for row in text.splitlines() if row.startswith("| `--")]
    assert len(rows) > 5
    for options, names in rows:
        for name, option in itertools.product(
            re.findall(r"`([a-z]+)`", names), re.findall(r"--[a-z-]+", options)
        ):
            assert option in {o for p in known[name].params for o in p.opts}, (name, option)
