"""Every text has its Chinese, with the same places, and numbers are written as readers do."""

import ast
import re
from inspect import cleandoc
from pathlib import Path
from string import Formatter

import pytest
import typer
from typer.testing import CliRunner

import capsim
from capsim.analysis.infeasibility.rules import table
from capsim.cli import app
from capsim.cli.console import HEADINGS, REFUSALS
from capsim.i18n.language import Message, words
from capsim.report.figures.sensitivity import MEANING
from capsim.report.narrative import UNITS
from capsim.report.page.comparison import FIGURES
from capsim.report.page.elements import layouts

HERE = Path(capsim.__file__).parent
TEXTS, NAMES = words("zh").texts, words("zh").names
ONE = words("en").one


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def texts_of(path: Path) -> set[str]:
    """English texts that a module gives to `say`, or a series its label.

    What is given by a name (``text``, ``BOUNDS[kind]``) is all that the module assigns to it.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    given: list[ast.AST] = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args
        if node.func.id in ("say", "Look", "Message")
    ]
    bare = [one.value if isinstance(one, ast.Subscript) else one for one in given]
    names = {one.id for one in bare if isinstance(one, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if names & {one.id for one in targets if isinstance(one, ast.Name)}:
                given.append(node.value)
    found: set[object] = set()
    for first in given:
        constants = [first]
        if isinstance(first, ast.IfExp):
            constants = [first.body, first.orelse]
        elif isinstance(first, ast.Dict):
            constants = [*first.values]
        found |= {one.value for one in constants if isinstance(one, ast.Constant)}
    return {text for text in found if isinstance(text, str)} - {""}


def test_every_text_of_the_code_has_its_chinese():
    used = set().union(*(texts_of(path) for path in HERE.rglob("*.py")))
    for rule in table():
        sentences = [rule, *(rule.variant(name, True) for name in rule.variants)]
        used |= {text for one in sentences for text in (one.says, one.gap, one.cure)}
    used |= {
        *UNITS.values(),
        *FIGURES.values(),
        *(layout.caption for layout in layouts().values()),
        *(column.title for layout in layouts().values() for column in layout.columns),
        *(one.what for one in MEANING.values()),
        *REFUSALS,
        *HEADINGS.values(),
    } - {""}
    for path in HERE.rglob("*.html"):
        used |= {found[1] for found in re.findall(r"say\(([\"'])(.*?)\1", path.read_text())}
    assert len(used) > 200
    assert used <= set(TEXTS)


def test_no_text_is_left_that_nothing_writes():
    """Every key of the table stands in the code, its data or its pages."""
    strings = {
        node.value
        for path in HERE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # The help of a command is its docstring, a text a paragraph.
    docstrings = [text for text in strings if "\n\n" in text]
    strings |= {part for text in docstrings for part in cleandoc(text).split("\n\n")}
    kinds = ("*.html", "*.js", "rules.toml", "tables.toml")
    files = [path for kind in kinds for path in HERE.rglob(kind)]
    rest = "".join(path.read_text(encoding="utf-8") for path in files)
    assert [text for text in TEXTS if text not in strings and text not in rest] == []


def test_places_for_values_are_the_same_in_both_languages():
    assert [text for text, other in TEXTS.items() if places(text) != places(other)] == []


def test_a_singular_is_of_a_text_that_counts_one_thing():
    assert set(ONE) <= set(TEXTS)
    for text, one in ONE.items():
        assert places(one) == places(text)
        assert one != text
        assert len(places(text) & {"amount", "number", "things"}) == 1


def test_names_of_more_than_one_word_are_written_apart():
    apart = {name: name.replace("_", " ") for name in NAMES if "_" in name}
    assert apart == words("en").names


def test_chinese_is_chinese():
    for text, other in TEXTS.items():
        if re.search("[A-Za-z]", re.sub(r"{\w+}|by", "", text)):
            assert re.search("[\u4e00-\u9fff]", other), text
    assert all(re.search("[\u4e00-\u9fff]", other) for other in NAMES.values())


def test_a_text_without_chinese_is_an_error():
    with pytest.raises(KeyError):
        words("zh")("never said")


@pytest.mark.parametrize(
    ("amount", "english"),
    [
        (1.0, "1 more contract teacher is taken on, all years together"),
        (1.004, "1 more contract teacher is taken on, all years together"),
        (1.5, "1.5 more contract teachers are taken on, all years together"),
        (21.0, "21 more contract teachers are taken on, all years together"),
    ],
)
def test_one_of_something_is_said_in_the_singular(amount, english):
    text = "{amount} more contract teachers are taken on, all years together"
    assert str(Message(text, {"amount": amount, "things": 1.0})) == english


@pytest.mark.parametrize(
    ("number", "english", "chinese"),
    [
        (309_800, "309,800", "30.98万"),
        (1_500_000, "1,500,000", "150万"),
        (9_999, "9,999", "9,999"),
        (-25_000, "−25,000", "−2.5万"),
        (0.4, "0", "0"),
    ],
)
def test_counts(number, english, chinese):
    assert words("en").count(number) == english
    assert words("zh").count(number) == chinese


@pytest.mark.parametrize(
    ("cny", "english", "chinese"),
    [
        (4.61e9, "4.61 bn RMB", "46.10亿元"),
        (-25_300_000, "−25.3 million RMB", "−2,530.0万元"),
        (8_200, "8,200 RMB", "8,200元"),
    ],
)
def test_money(cny, english, chinese):
    assert words("en").money(cny) == english
    assert words("zh").money(cny) == chinese


def test_shares_and_names():
    say = words("zh")
    assert say.share(0.05) == "5.00%"
    assert say.name("primary") == "小学"
    assert say.name("No. 7 School") == "No. 7 School"
    assert words("en").name("under_construction") == "under construction"
    assert words("en").name("north_road") == "north_road"


def test_every_help_text_has_its_chinese():
    group = typer.main.get_command(app)
    for command in (group, *group.commands.values()):
        taken = [text for one in command.params for text in (one.help, one.rich_help_panel)]
        texts = {*command.help.split("\n\n"), *taken} - {None}
        assert texts <= set(TEXTS)
        assert command.epilog in TEXTS or command.epilog.startswith("Example: ")


@pytest.mark.parametrize("way", ["option", "environment"])
def test_help_is_in_the_language_asked_for(way):
    asked = ["--lang", "zh"] if way == "option" else []
    env = {"CAPSIM_LANG": "zh"} if way == "environment" else {}
    shown = CliRunner().invoke(app, ["check", *asked, "--help"], env={**env, "COLUMNS": "200"})
    assert (
        TEXTS["Refuse what is not written plainly, instead of putting it right."][:5]
        in shown.output
    )
    assert TEXTS["Print the result as JSON."] in shown.output
    plain = CliRunner().invoke(app, ["check", "--help"], env={"COLUMNS": "200"})
    assert "Print the result as JSON." in plain.output


def test_headings_of_the_help_are_chinese_and_english_again_after():
    def shown(*given, lang):
        env = {"COLUMNS": "200", "CAPSIM_LANG": lang}
        return CliRunner().invoke(app, given, env=env).output

    for given in ((), ("bench",), ("run",)):
        chinese = shown(*given, "--help", lang="zh")
        assert not re.search("Usage|Options|Arguments|Commands|default|required|Show", chinese)
        assert "用法：" in chinese
        assert "选项" in chinese
        english = shown(*given, "--help", lang="en")
        assert "Usage: " in english
        assert not re.search("[一-龥]", english)
    refused = shown("run", "--sed", lang="zh")
    assert not re.search("Try|Error|for help", refused)
    assert "错误" in refused


@pytest.mark.parametrize(
    "wrong",
    [
        *("runn city", "zzzzz", "run", "run city --sed 1", "run city --zzz", "run city --seed x"),
        *("run city --seed -1", "run city --seed", "run city other", "build city --closed x"),
        *("run city --paper=3", "run city --gap x", "run city --draws 99999999999"),
    ],
)
def test_wrong_arguments_are_refused_in_chinese(wrong):
    env = {"CAPSIM_LANG": "zh", "COLUMNS": "200"}
    told = CliRunner().invoke(app, wrong.split(), env=env)
    assert told.exit_code == 2
    (line,) = [line for line in told.output.splitlines() if line.startswith("│")]
    assert re.search("[\u4e00-\u9fff]", line)
    assert not re.search("[A-Za-z]+ [A-Za-z]+", line)


CALLED = ("fail", "_echo", "echo", "progress", "phase")
PHASES = ("progress", "phase")
ONLY_PYTHON = {"the best of ", "near-optimal plans", "trade-off", "the best plan"}
"""Phases of what no command runs."""


def said_by(path: Path) -> set[str]:
    """English texts, or the parts between values, that a module prints as they stand."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
        called = called.id if isinstance(called, ast.Name) else called
        first = node.args[0]
        if called not in CALLED:
            continue
        parts = first.values if isinstance(first, ast.JoinedStr) else [first]
        parts = [first.body, first.orelse] if isinstance(first, ast.IfExp) else parts
        if called in PHASES:
            parts = parts if isinstance(first, ast.IfExp) else parts[:1]
        texts = {str(one.value) for one in parts if isinstance(one, ast.Constant)}
        if called in PHASES:
            texts = {re.split("[:,]", text)[0] for text in texts}
        found |= {text for text in texts if re.search("[A-Za-z]", text)}
    return found


def test_what_commands_print_has_its_chinese():
    """Commands print messages of the table; a phase of their progress is a text of it."""
    printed = set().union(*(said_by(path) for path in (HERE / "cli").glob("*.py")))
    assert printed - set(TEXTS) == {"capsim "}
    phases = set().union(*(said_by(path) for path in HERE.rglob("*.py") if "cli" not in path.parts))
    assert phases - set(TEXTS) - ONLY_PYTHON == set()
