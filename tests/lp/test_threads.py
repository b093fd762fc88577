"""Tasks side by side: order, errors, and nothing that runs on after one of them or Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time

import pytest
from lp_programs import market_split

from capsim.lp.highs import Highs
from capsim.lp.parallel_solves import Stopped, in_parallel


def test_tasks_keep_their_order_and_their_errors() -> None:
    assert in_parallel([lambda i=i: i * i for i in range(7)]) == [0, 1, 4, 9, 16, 25, 36]  # type: ignore[misc]

    def fails() -> int:
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError, match="no"):
        in_parallel([lambda: 1, fails])


class Endless:
    """A program that takes hours to prove, and how its solve ended."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), ""

    def __call__(self) -> None:
        self.begun.set()
        try:
            Highs(market_split(6)).solve()
        except Stopped:
            self.ended = "stopped"


def test_a_task_that_fails_stops_running_solves() -> None:
    endless = Endless()

    def fails() -> None:
        endless.begun.wait()
        raise ArithmeticError("no")

    def within() -> None:
        in_parallel([endless])

    with pytest.raises(ArithmeticError, match="no"):
        in_parallel([within, fails])
    assert endless.ended == "stopped"


def test_ctrl_c_stops_running_solves() -> None:
    endless = Endless()
    main = threading.main_thread().ident
    assert main is not None

    def presses() -> None:
        endless.begun.wait()
        time.sleep(0.2)
        signal.pthread_kill(main, signal.SIGINT)

    key = threading.Thread(target=presses)
    key.start()
    with pytest.raises(KeyboardInterrupt):
        in_parallel([endless, endless])
    key.join()
    assert endless.ended == "stopped"
    assert in_parallel([lambda: 1]) == [1]
