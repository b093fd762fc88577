"""Write docs/families.md from the code of the variables and of the constraint families.

An equation on the page is the one in the code: the second argument of ``m.add(name, equation,
where)``, with the definitions of the names that stand in it. What rows mean and what their prices
are is in the functions' docstrings, under ``Rows``.

Usage: python scripts/make_families_page.py. A test fails while the page is not what this makes.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from capsim.model import constraint_context as formulation
from capsim.model import variables
from capsim.model.constraints import FAMILIES
from capsim.model.constraints.private import define_opening

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "families.md"
GOLDEN = TOP / "tests" / "model" / "golden"
ALL = {**FAMILIES, "opening": define_opening}

OPENING = """# Variables and constraint families

Written by `python scripts/make_families_page.py` from the code. The sets, the data and what the
rules mean in full are in [model.md](model.md). Names are those of `LinearProgram.column_names()`
and `row_names()`: `pupils[V,junior,7,2022]`, in LP files and PuLP `pupils_V_junior_7_2022`, where
`*` (the whole) is `whole`.

## Variables

Built by `add_columns` in [variables.py](../capsim/model/variables.py). All are at least 0, in
persons unless said. One that does not exist (a school that cannot convert) counts as 0. A *band*
is a compulsory grade (`7`), or a whole other stage, named by its first and last grade (`K1-K3`).

| variable | labels | meaning |
|---|---|---|
"""

SUMS = """
In equations `x[t − 1]` is the value of the year before, 0 in the first year; `Σ` sums over what the
other side does not tell apart, or *by* what is said. These names are used by several families
([constraint_context.py](../capsim/model/constraint_context.py)):

| name | meaning |
|---|---|
"""

DUALS = """
## Duals and prices

A row's *dual* (`plan.prices().solution.row_dual`) is the change of the optimum in million
discounted RMB for one unit more on the row's right-hand side, all decisions fixed. The model
minimises: where a row is `≤` its dual is at most 0 (more room cannot cost more), where it is `≥` at
least 0, on an equation either. Where the optimum is degenerate a dual is one number of an interval;
`plan.prices()` gives both its ends in RMB, with the sign turned so that what is scarce is never
negative ([prices.md](prices.md)). The last column says what one unit more of the right-hand side
is, and in quotes its *kind* in that table. Where no kind is quoted the row is arithmetic or a
decision's own logic, and its dual is a part of what others are worth. Rows in whole decisions only
(`capital`, `land`, `programme`, `conversion`, …) have dual 0 once decisions are fixed; of these the
relaxation's dual is meant (`relax=True`).

## Families

Each is one function; `[switches]` of the same name in the settings turns it off. Its golden file
shows it alone on a tiny case, to the letter.
"""

SIGNS = {ast.LtE: "≤", ast.GtE: "≥", ast.Eq: "=", ast.Lt: "<", ast.Gt: ">", ast.NotEq: "≠"}
OPERATORS: dict[type, tuple[str, int]] = {
    ast.BitOr: ("or", 0),
    ast.BitAnd: ("and", 1),
    ast.Add: ("+", 2),
    ast.Sub: ("−", 2),
    ast.Mult: ("·", 3),
    ast.Div: ("÷", 3),
}
CUTS = {":, 1:": "[k + 1]", ":, :-1": "[k]"}
MEMBERS = {":", "None", "...", "1:", "j", "row", "seat", "t"}
"""Keys of cuts that choose the members that rows are about, and are not written."""
BY_NAME = ("ceiling_share", "taken_over", "usable_share", "private_intake", "most_moving_up")
"""Functions of data that are written as their names."""


@dataclass(frozen=True)
class Rows:
    """What a family adds under one name: the equation, where it holds, what it means, its price."""

    name: str
    equation: str
    where: str
    meaning: str
    price: str

    @property
    def text(self) -> str:
        """The equation and where it holds, in one line."""
        return self.equation + (f", where {self.where}" if self.where else "")


def rows_of(define: Callable[..., None]) -> list[Rows]:
    """List the rows that a family adds, in order."""
    meanings = _meanings(define)
    module = ast.parse(Path(inspect.getfile(define)).read_text(encoding="utf-8"))
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    found = {
        name: (equation, where) for name, equation, where in _added(functions, define.__name__)
    }
    out = []
    for name, (meaning, price) in meanings.items():
        equation, where = next(text for key, text in found.items() if re.fullmatch(key, name))
        out.append(Rows(name, equation, where, meaning, price))
    unsaid = [key for key in found if not any(re.fullmatch(key, name) for name in meanings)]
    if unsaid:
        raise ValueError(f"{define.__name__} does not say what the rows {', '.join(unsaid)} mean")
    return out


def summary(define: Callable[..., None]) -> str:
    """Return what the docstring of a family says before its rows."""
    return (inspect.getdoc(define) or "").partition("\nRows\n----")[0].strip()


def _meanings(define: Callable[..., None]) -> dict[str, tuple[str, str]]:
    """Return meaning and price of each of a family's rows, from its docstring."""
    text = (inspect.getdoc(define) or "").partition("\nRows\n----\n")[2]
    out = {}
    for part in re.split(r"\n(?=\S)", text):
        name, _, body = part.partition("\n")
        meaning, _, price = " ".join(body.split()).partition(" Price: ")
        out[name] = meaning, price
    return out


def _added(functions: dict[str, ast.FunctionDef], name: str) -> Iterator[tuple[str, str, str]]:
    """Yield pattern of the name, equation and condition of everything that a function adds."""
    function = functions[name]
    for call in [node for node in ast.walk(function) if isinstance(node, ast.Call)]:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if ast.unparse(call.func) in functions and ast.unparse(call.args[0]) == "m":
            yield from _added(functions, ast.unparse(call.func))
        write = Writer(function, call.lineno)
        if called == "add":
            equation, where = call.args[1], call.args[2] if len(call.args) > 2 else None
            yield _pattern(call.args[0]), write.whole(equation), write.condition(where)
        elif isinstance(call.func, ast.Name) and call.func.id == "add_limit":
            kind = ast.literal_eval(call.args[3])
            where = "a county or the whole has a limit"
            yield (
                _pattern(call.args[2]),
                write.whole(call.args[4], f" ≤ limit of {kind.replace('_', ' ')}"),
                where,
            )


def _pattern(name: ast.expr) -> str:
    """Return a regular expression for the names that a row may have."""
    if isinstance(name, ast.Constant):
        return re.escape(name.value)
    assert isinstance(name, ast.JoinedStr)
    parts = [re.escape(v.value) if isinstance(v, ast.Constant) else r"\w+" for v in name.values]
    return "".join(parts)


class Writer:
    """Writes expressions of a function as equations, as names stand at one of its lines."""

    def __init__(self, function: ast.FunctionDef, line: int) -> None:
        self.known: dict[str, ast.expr] = {}
        self.defined: dict[str, str] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno < line:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self._learn(targets[0], node.value)

    def _learn(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._learn(one, its)
        elif isinstance(target, ast.Name) and value is not None:
            self.known[target.id] = value

    def whole(self, equation: ast.expr, limit: str = "") -> str:
        """Write an equation, and after it the definitions of the names in it."""
        text = self.write(equation) + limit
        defined = [f"{name} = {said}" for name, said in self.defined.items() if name != said]
        return "; ".join([text, *defined])

    def condition(self, where: ast.expr | None) -> str:
        """Write where an equation holds; nothing where it holds everywhere."""
        while isinstance(where, ast.Name) and where.id in self.known:
            where = self.known[where.id]
        return "" if where is None else self.write(where)

    def write(self, node: ast.expr, inside: int = 0) -> str:
        """Write an expression, in brackets where what it stands in binds more closely."""
        if isinstance(node, ast.Compare):
            sign = SIGNS[type(node.ops[0])]
            return f"{self.write(node.left, 2)} {sign} {self.write(node.comparators[0], 2)}"
        if isinstance(node, ast.BinOp):
            sign, rank = OPERATORS[type(node.op)]
            right = rank + isinstance(node.op, ast.Sub | ast.Div)
            text = f"{self.write(node.left, rank)} {sign} {self.write(node.right, right)}"
            return f"({text})" if rank < inside else text
        if isinstance(node, ast.UnaryOp):
            if ast.unparse(node).startswith("~np.isnan"):
                return f"{self.write(_inner(node.operand))} is given"
            text = self.write(node.operand, 4)
            return f"not {text}" if isinstance(node.op, ast.Invert) else f"−{text}"
        if isinstance(node, ast.Subscript):
            return self._cut(node, inside)
        if isinstance(node, ast.Call):
            return self._called(node)
        if isinstance(node, ast.Attribute):
            return f"{self.write(node.value)} exists" if node.attr == "exists" else node.attr
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            return f"{node.value:g}"
        return ast.unparse(node)

    def _named(self, name: str) -> str:
        """Write a name, or what it stands for where that is short; else define it."""
        value = self.known.get(name)
        if value is None or name in self.defined:
            return name
        self.defined[name] = name  # it may stand in its own definition
        others = set(self.defined)
        text = self.write(value)
        if text.isidentifier() or text.endswith("exists"):
            del self.defined[name]
            return text
        if _is_plumbing(value) and not _has_variables(value, self.known):
            for other in set(self.defined) - others:
                del self.defined[other]
        else:
            self.defined[name] = text
        return name

    def _cut(self, node: ast.Subscript, inside: int) -> str:
        """Write a cut: shifts of a year and what is chosen stand in brackets."""
        key = ast.unparse(node.slice).strip("()")
        if key in CUTS and "exists" not in ast.unparse(node.value):
            return self.write(node.value, 4) + CUTS[key]
        parts = [re.sub(r"\w+\.", "", part) for part in key.split(", ") if part not in MEMBERS]
        chosen = [part for part in parts if part.replace("_", "").isidentifier()]
        if not chosen or not _has_variables(node.value, self.known):
            return self.write(node.value, inside)
        return f"{self.write(node.value, 4)}[{', '.join(chosen)}]"

    def _called(self, node: ast.Call) -> str:
        """Write a call: sums and shifts have signs of their own."""
        called = ast.unparse(node.func)
        value = node.func.value if isinstance(node.func, ast.Attribute) else None
        method = called.rpartition(".")[2]
        if method == "previous" and value is not None:
            return f"{self.write(value, 4)}[t − 1]"
        if method == "before" and value is not None:
            return f"{self.write(value, 4)}[t − {self.write(node.args[0])}]"
        if method in ("along", "labelled", "astype") and value is not None:
            return self.write(value)
        if method in ("in_force", "by_stage", "float", "brought"):
            text = self.write(node.args[0])
            return text.strip("'")
        if method in BY_NAME:
            return method
        if method == "last" and value is not None:
            count = self.write(node.args[0])
            return f"Σ {self.write(value, 4)}[t − {count} + 1 … t]"
        if method == "sum" and value is not None:
            flag = [self.write(k.value) for k in node.keywords if k.arg == "where"]
            return f"Σ {self.write(value, 3)}" + (f" where {flag[0]}" if flag else "")
        if method == "group" and value is not None:
            return f"Σ {self.write(value, 3)}{self._by(node)}"
        return f"{method}({', '.join(self.write(one) for one in node.args)})"

    def _by(self, node: ast.Call) -> str:
        """Write what a sum is by, where the code labels it."""
        labels = node.args[2] if len(node.args) > 2 else node.args[-1]
        if isinstance(labels, ast.Starred):
            labels = labels.value
        if isinstance(labels, ast.Name) and labels.id in self.known:
            labels = self.known[labels.id]
        names = re.findall(r"axis\.(\w+)|Axis\.of\((\w+)=", ast.unparse(labels))
        return f" by {', '.join(a or b for a, b in names)}" if names else ""


def _inner(call: ast.expr) -> ast.expr:
    """Return the first argument of a call."""
    assert isinstance(call, ast.Call)
    return call.args[0]


def _has_variables(node: ast.expr, known: dict[str, ast.expr], depth: int = 5) -> bool:
    """Tell whether an expression is of variables, and not of data."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) in ("x", "f.x"):
            return True
        if not (isinstance(part, ast.Name) and depth and part.id in known) or part.id == "x":
            continue
        if _has_variables(known[part.id], known, depth - 1):
            return True
    return False


def _is_plumbing(value: ast.expr) -> bool:
    """Tell whether a definition only gets data into shape, which its name says better."""
    text = ast.unparse(value)
    return any(word in text for word in ("np.", "len(", "for ", "Expression.", "stage("))


def _variables() -> Iterator[str]:
    """Write the table of variables: labels from the axes, meaning from the docstrings."""
    tree = ast.parse(Path(inspect.getfile(variables)).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    body = classes["Variables"].body
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and ast.unparse(field.annotation) == "Index":
            assert isinstance(field.target, ast.Name)
            assert isinstance(text, ast.Expr)
            said = " ".join(ast.literal_eval(text.value).split())
            labels, _, meaning = said.partition(": ")
            yield f"| `{field.target.id}` | {labels} | {meaning} |"


def _sums() -> Iterator[str]:
    """Write the table of sums that families share."""
    for name, found in vars(formulation.Expressions).items():
        if isinstance(found, cached_property):
            said = " ".join((inspect.getdoc(found) or "").split()).rstrip(".")
            yield f"| `{name}` | {said.replace('``', '`')} |"


def _family(name: str) -> Iterator[str]:
    """Write the section of a family."""
    define = ALL[name]
    path = Path(inspect.getfile(define)).relative_to(TOP)
    files = " · ".join(
        f"[{file.name}](../{file.relative_to(TOP)})"
        for file in sorted(GOLDEN.glob(f"{name}*.lp"))
        if file.stem == name or file.stem.startswith(f"{name}_of")
    )
    yield f"### `{name}`\n"
    yield f"{summary(define)}\n"
    yield f"`{define.__name__}` in [{path.name}](../{path}); golden file {files}\n"
    yield "| row | equation | where | meaning | one unit more is |"
    yield "|---|---|---|---|---|"
    for row in rows_of(define):
        equation = "<br>".join(f"`{part}`" for part in row.equation.split("; "))
        where = f"`{row.where}`" if row.where else "everywhere"
        meaning, price = (text.replace("``", "`") for text in (row.meaning, row.price))
        yield f"| `{row.name}` | {equation} | {where} | {meaning} | {price} |"
    yield ""


def page() -> str:
    """Write the page."""
    families = "\n".join(line for name in ALL for line in _family(name))
    return (
        OPENING
        + "\n".join(_variables())
        + "\n"
        + SUMS
        + "\n".join(_sums())
        + "\n"
        + DUALS
        + "\n"
        + families.strip()
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
