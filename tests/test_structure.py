"""The house: floors without a circle, one idea a module, none of a public function's name."""

import ast
from collections import Counter, defaultdict
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import capsim

PACKAGE = Path(capsim.__file__).parent
FLOORS = (
    *("i18n", "io", "scenario", "demand", "lp", "model", "plan", "analysis", "construction"),
    *("simulation", "reliability", "comparison", "certificate", "report"),
    *("benchmark", "workflow", "cli", "__main__", ""),
)
"""Folders and top modules from the lowest up; the package itself, which names all, is above."""

VERB = "a public verb, which the package itself names"
COMMAND = "commands that the application registers"
FAMILY = "constraint families, which the model registers"
SUBJECT = "the checks of one subject, which a scenario's check collects"
PART = "one part of a synthetic scenario, as long as a module should be"
ONE_IMPORTER = {
    "capsim.analysis.infeasibility.diagnosis": VERB,
    "capsim.analysis.infeasibility.sentences": "wording apart from the search for conflicts",
    "capsim.analysis.rolling_horizon": VERB,
    "capsim.analysis.stochastic.benders": "the extensive form and the L-shaped method",
    "capsim.analysis.sweep": VERB,
    "capsim.benchmark": "what `capsim bench` and scripts measure with",
    "capsim.certificate.reported_tables": "tables of the plan re-checked, apart from constraints",
    "capsim.cli.plan": COMMAND,
    "capsim.cli.scenario": COMMAND,
    "capsim.cli.components": COMMAND,
    "capsim.demand.capacity_table": "one table of a set, and names found in it, apart from the set",
    "capsim.demand.sectors": VERB,
    "capsim.lp.decomposition.block_milp": "integers by block, above the relaxation's pricing",
    "capsim.lp.sensitivity": "one-sided derivatives know nothing of schools",
    "capsim.model.constraints.enrolment": FAMILY,
    "capsim.model.constraints.resources": FAMILY,
    "capsim.plan.tables": "docs/results.md in code, apart from the plan's proof",
    "capsim.report.page.comparison": "the second of the two pages",
    "capsim.simulation.recourse": "places bought for those who wait, apart from seating",
    "capsim.scenario.excel.scenario_workbook": "two commands begin here; scripts import it",
    "capsim.scenario.synthetic.projects": PART,
    "capsim.scenario.validation.people": SUBJECT,
    "capsim.scenario.validation.projects": SUBJECT,
    "capsim.scenario.validation.settings": SUBJECT,
}
"""Why a module stands alone that only one other imports."""


def module_of(path):
    parts = ["capsim", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports(path, *, types):
    """Modules that a module imports: at its top, in functions too, and where only types are."""
    found = set()

    def visit(node, inside):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test) and not types:
                continue
            if isinstance(child, ast.ImportFrom) and child.module and (types or not inside):
                whole = {f"{child.module}.{alias.name}" for alias in child.names}
                found.update(whole & set(MODULES) or {child.module} & set(MODULES))
            visit(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))

    visit(ast.parse(path.read_text("utf-8")), inside=False)
    return found


def floor(module):
    return FLOORS.index(([*module.split("."), ""])[1])


def test_modules_import_in_no_circle():
    edges = {module: imports(path, types=False) for module, path in MODULES.items()}
    assert len(list(TopologicalSorter(edges).static_order())) == len(MODULES)


def test_no_import_leads_up():
    """The one way up is from a plan to its analysis, taken when a method is called."""
    up = {
        (module, other)
        for module, path in MODULES.items()
        for other in imports(path, types=True)
        if floor(other) > floor(module) and other.split(".")[1] != module.split(".")[1]
    }
    assert {(a, b.rsplit(".", 1)[0]) for a, b in up} <= {
        ("capsim.plan.plan", "capsim.analysis"),
        ("capsim.plan.plan", "capsim.analysis.infeasibility"),
    }


def test_folders_and_modules_have_a_readable_size():
    folders = Counter(path.parent for path in MODULES.values())
    assert {folder: n for folder, n in folders.items() if n > 16} == {}
    assert len(MODULES) <= 185
    long = {m: len(p.read_text("utf-8").splitlines()) for m, p in MODULES.items()}
    assert {module: n for module, n in long.items() if n > 700} == {}


def test_no_folder_is_called_like_a_public_function():
    folders = {path.parent.name for path in MODULES.values()} | {m.split(".")[-1] for m in MODULES}
    top = {m.split(".")[1] for m in MODULES if m.count(".") == 1}
    assert not top & set(capsim.__all__), folders


def test_a_module_with_one_importer_has_a_reason():
    users = defaultdict(set)
    for module, path in MODULES.items():
        for other in imports(path, types=True):
            users[other].add(module)
    alone = {m for m in MODULES if len(users[m]) == 1 and MODULES[m].name != "__init__.py"}
    assert alone == set(ONE_IMPORTER)


def test_every_package_says_what_it_exports():
    for path in PACKAGE.rglob("__init__.py"):
        names = [
            target.id
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]
        assert "__all__" in names, path
