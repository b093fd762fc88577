"""What is wrong with a scenario is said in Chinese: no English sentence is left in a fault."""

import copy
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from small_folder import texts, write

from capsim.i18n.language import words
from capsim.scenario import ScenarioError, load
from capsim.scenario.settings import BOUNDS, Settings, faults_of

FILE = Path(__file__).parent.parent / "scenario" / "fault_cases.toml"
CASES = tomllib.loads(FILE.read_text("utf-8"))["case"]
ZH = words("zh")
LIBRARY = re.compile("(有效的TOML|格式正确的CSV)（.*）")
"""Reasons that Python's readers give, in their own words."""


def english_left(text: str) -> list[str]:
    """Find two English words in a row: names of columns and files stand alone or are quoted."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", LIBRARY.sub("", text))
    return re.findall(r"(?<![\w-])[A-Za-z]+ [A-Za-z]+(?![\w-])", bare)


def changed(case: dict[str, str]) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = dict(texts())
    old = str(files.get(case["file"], ""))
    if "gone" in case:
        del files[case["file"]]
    elif "content" in case:
        files[case["file"]] = case["content"]
    elif "add" in case:
        files[case["file"]] = f"{old}{case['add']}\n"
    else:
        files[case["file"]] = old.replace(case["old"], case["new"])
    return files


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_fault_is_said_in_chinese(tmp_path, case):
    with pytest.raises(ScenarioError) as caught:
        load(write(tmp_path / "case", changed(case)))
    for fault in caught.value.faults:
        told = fault.text(ZH)
        assert re.search("[\u4e00-\u9fff]", told)
        assert english_left(told) == []
        assert fault.details(ZH)["text"] == told


def settings_of(model: type[BaseModel], above: tuple[str, ...] = ()):
    for name, field in model.model_fields.items():
        yield (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings_of(field.annotation, (*above, name))


WRONG = [
    *(-5, 1e99, float("nan"), 2.5, 5, True, "", "x", "y" * 300),
    *([], [""], [5], [["a", "b", "c"]], [["13-01", "01-01"]]),
    *({}, {"": {}}, {5: {}}, {"n": 5}, {"n": []}, {"n": {"by": "x"}}, {"x": {"grades": [5]}}),
    *({"n": {"stops": [["13-01", "01-01"], ["01-01", "01-02", "01-03"]]}}, {2022: 2.0}),
]


@pytest.mark.slow
def test_every_kind_of_wrong_setting_is_said_in_chinese():
    """Each setting with each wrong value: what pydantic finds is in the table of kinds."""
    seen = set()
    for path in settings_of(Settings):
        for value in WRONG:
            given = {"name": "x", "horizon": {"base_year": 2021, "last_year": 2030}}
            given = copy.deepcopy({**given, "costs": {"discount_rate": 0.04}})
            section = given
            for part in path[:-1]:
                section = section.setdefault(part, {})
            section[path[-1]] = value
            try:
                Settings.model_validate(given)
            except ValidationError as error:
                seen |= {detail["type"] for detail in error.errors(include_url=False)}
                for fault in faults_of(error, "scenario.toml"):
                    assert english_left(fault.text(ZH)) == []
                    assert str(fault)
    assert set(BOUNDS) <= seen


def test_english_that_is_left_is_found():
    assert english_left("births.csv：'many'，应为：a number") == ["a number"]
    assert english_left("limits.csv、kind：''，应为：hires、land之一") == []
