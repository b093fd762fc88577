"""Progress that people see, and Ctrl-C as one line."""

import sys
import types

import pytest

import capsim
from capsim.io import shown
from capsim.io.shown import Stopped, followed

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2022)}


class Display:
    """Stands for IPython: keeps what a cell was given to show."""

    def __init__(self):
        self.drawn = []

    def display(self, what, display_id):
        assert display_id
        self.drawn.append(what)
        return self

    def update(self, what):
        self.drawn.append(what)


@pytest.fixture
def notebook(monkeypatch):
    shell, seen = types.SimpleNamespace(kernel=object()), Display()
    package = types.SimpleNamespace(get_ipython=lambda: shell)
    display = types.SimpleNamespace(HTML=str, display=seen.display)
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return seen


def test_a_function_is_told_itself_and_nobody_by_default():
    heard = []
    with followed(heard.append) as tell:
        tell("3 of 8")
    assert heard == ["3 of 8"]
    for none in (None, False):
        with followed(none) as tell:
            assert tell is None
    with pytest.raises(TypeError, match="progress must be True, False or a function"), followed(3):
        pass


def test_a_notebook_has_a_bar_and_then_one_line(notebook):
    with followed(True) as tell:
        tell("block 3 of 8 <x>")
    begun, told, ended = notebook.drawn
    assert "<progress></progress> starting" in begun
    assert '<progress value="3" max="8"></progress> block 3 of 8 &lt;x&gt;' in told
    assert "<progress" not in ended


def test_a_terminal_has_a_line_on_standard_error_alone(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    city = capsim.generate(2, 6000, seed=1, **SMALL)
    capsim.optimize(city, gap=0.05, progress=True)
    assert capsys.readouterr().out == ""


def test_ctrl_c_is_one_line(notebook):
    with pytest.raises(Stopped) as stopped, followed(True):
        raise KeyboardInterrupt
    assert stopped.value._render_traceback_() == ["Stopped by Ctrl-C; nothing was kept."]
    assert stopped.value.__suppress_context__
    assert "<progress" not in notebook.drawn[-1]


@pytest.mark.slow
def test_ctrl_c_while_planning_is_one_line():
    city = capsim.generate(2, 6000, seed=1, **SMALL)

    def press(words):
        raise KeyboardInterrupt

    plan = capsim.optimize(city, gap=0.05)
    with pytest.raises(Stopped):
        capsim.simulate(plan, draws=8, progress=press)
    with pytest.raises(Stopped):
        capsim.compare([city, city.variant(name="other")], draws=0, gap=0.05, progress=press)
    with pytest.raises(Stopped):
        capsim.harden(city, draws=8, fresh_draws=8, rounds=1, gap=0.05, progress=press)
    assert issubclass(Stopped, KeyboardInterrupt)
    assert shown.part_of("2 of x") == (0, None)
