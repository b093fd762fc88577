"""Commands, options, values and folders are completed in the shells themselves."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from capsim.cli import app
from capsim.cli.console import Shell

# What the shell offers of itself stands in for what it does where capsim leaves it to files.
SCRIPTS = {
    "bash": """
source <(capsim --show-completion bash)
line=$1; COMP_WORDS=($1); [ "${line% }" = "$line" ] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_capsim_completion capsim
[ ${#COMPREPLY[@]} -gt 0 ] || [[ $(complete -p capsim) != *"-o default"* ]] ||
    COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { [[ "$*" == "_capsim_completion capsim" ]] || exit 1 }
_arguments() { print -r -- "$1" | grep -oE '"[^"]+"(:"[^"]*")?' | cut -d'"' -f2 }
_files() { print -rl -- ${words[CURRENT]}*(N) }
source <(capsim --show-completion zsh)
words=(${=1}); [[ $1 != *" " ]] || words+=("")
CURRENT=${#words}
_capsim_completion
""",
    "fish": """
capsim --show-completion fish | source
complete -C $argv[1]
""",
}
RUN = {"bash": ["bash", "-c"], "zsh": ["zsh", "-f", "-c"], "fish": ["fish", "--no-config", "-c"]}
WORD0 = {"bash": ["shell"], "zsh": ["shell"], "fish": []}


def offered(shell: str, line: str, folder: Path) -> set[str]:
    """What a shell offers at the end of a line, without descriptions."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    given = {**os.environ, "PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    command = [*RUN[shell], SCRIPTS[shell], *WORD0[shell], line]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, cwd=folder, env=given
    )
    assert done.stderr == ""
    return {re.split(r"\t", line)[0].rstrip("/") for line in done.stdout.split("\n") if line}


@pytest.mark.slow
@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_shell_completes_commands_options_values_and_folders(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    (tmp_path / "city").mkdir()
    assert offered(shell, "capsim be", tmp_path) == {"bench"}
    assert offered(shell, "capsim ex", tmp_path) == {"explain", "export"}
    assert offered(shell, "capsim run city --la", tmp_path) == {"--lang"}
    assert offered(shell, "capsim run city --lang ", tmp_path) == {"en", "zh"}
    assert offered(shell, "capsim check ci", tmp_path) == {"city"}


@pytest.mark.parametrize("shell", Shell)
def test_every_shell_has_a_script_and_others_are_bad_input(shell):
    said = CliRunner().invoke(app, ["--show-completion", shell])
    assert said.exit_code == 0
    assert "_CAPSIM_COMPLETE" in said.stdout
    assert CliRunner().invoke(app, ["--show-completion", "tcsh"]).exit_code == 2


def test_completion_is_installed_where_the_shell_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    said = CliRunner().invoke(app, ["--install-completion", "fish"], prog_name="capsim")
    assert said.exit_code == 0
    script = tmp_path / ".config" / "fish" / "completions" / "capsim.fish"
    assert "--command capsim" in script.read_text()
