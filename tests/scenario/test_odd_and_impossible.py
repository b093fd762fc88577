"""What is impossible is a fault, what is odd a warning, each with its cure, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_folder import texts, write

from capsim.i18n.language import words
from capsim.scenario import load


def changed(folder: Path, file: str, *pairs: tuple[str, str]) -> Path:
    files = dict(texts())
    for old, new in pairs:
        assert old in files[file]
        files[file] = files[file].replace(old, new)
    return write(folder, files)


def test_a_reduction_of_more_pupils_than_there_are(tmp_path: Path) -> None:
    """It is told before planning, also of a variant; what stands in the way can still be asked."""
    scenario = load(changed(tmp_path / "x", "scenario.toml", ("reduction = 20", "reduction = 121")))
    assert scenario.warnings == (
        "policy.reduction: 121 are to leave, and 120 private pupils of compulsory stages there were"
        " in 2021: no plan can do it; ask for fewer, or mend the column sector",
    )
    assert "只有120人" in scenario.findings[0].text(words("zh"))
    assert scenario.variant({"policy.reduction": 120}).warnings == ()
    assert (
        len(scenario.variant({"policy.reduction": 120}).variant({"policy.reduction": 121}).warnings)
        == 1
    )


@pytest.mark.parametrize(
    ("file", "pairs", "said"),
    [
        ("scenario.toml", [("{value = 0.1,", "{value = 0.2,")], "met already, 11.76 %"),
        (
            "projects.csv",
            [("candidate,2023-09-01,,n-public", "candidate,2024-09-02,,n-public")],
            "1 row opens after 1 September 2024",
        ),
        ("areas.csv", [("s,South,r", "e,North,rural,,,,1,1\ns,South,r")], "areas: 1 has no"),
        ("schools.csv", [("n-sunny,kindergarten,n,private,60", "n-sunny,kindergarten,n,private,0")],
         "schools: 1 row has pupils and no places (n-sunny)"),
        ("schools.csv", [("public,540,600", "public,140,600")], "schools: 545 places for 1,020"),
        ("areas.csv", [("n,North,u", "e,north ,rural,,,,1,1\nn,North,u")], "differ by case"),
        ("rolls.csv", [], ""),
    ],
)  # fmt: skip
def test_what_is_odd(tmp_path: Path, file: str, pairs: list[tuple[str, str]], said: str) -> None:
    pairs = [(old, new.replace("north ", "nOrth")) for old, new in pairs]
    scenario = load(changed(tmp_path / "x", file, *pairs))
    assert any(said in one for one in scenario.warnings) or not said
    for finding in scenario.findings:
        assert finding.text(words("zh")) != str(finding)
    assert bool(scenario.warnings) == bool(said)
