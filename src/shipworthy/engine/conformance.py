"""What every engine must pass: inherit the class, give it an engine of at least two workers, and pytest does the rest.

    @pytest.fixture(scope="module")
    def engine():
        with MyEngine(workers=2) as engine:
            yield engine


    class TestMyEngine(EngineConformance):
        pass

The workers must see the temporary folder of the tests.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from shipworthy.engine.engine import Engine
from shipworthy.errors import InvalidInputError, TamperedError, UnavailableError, UserCodeError


class EngineConformance:
    """The duties of an `Engine`."""

    def test_results_come_in_the_order_of_the_tasks(self, engine: Engine) -> None:
        """Long and short tasks mixed, each result stands where its task stood, and progress ends at all of them."""
        told: list[tuple[int, int]] = []
        tasks = [0.05, 0.0, 0.01, *[0.0] * 50]
        assert engine.run(_sleep, tasks, lambda done, of: told.append((done, of))) == tasks
        assert told == sorted(told)
        assert told[-1] == (len(tasks), len(tasks))

    def test_no_task_is_no_work(self, engine: Engine) -> None:
        """Nothing gives nothing."""
        assert engine.run(abs, [], _nobody) == []

    def test_each_result_is_kept_once_with_its_task(self, engine: Engine) -> None:
        """`keep` is given every task with what came of it."""
        kept: list[tuple[int, int]] = []
        engine.run(abs, range(-20, 0), _nobody, lambda task, result: kept.append((task, result)))
        assert sorted(kept) == [(task, -task) for task in range(-20, 0)]

    def test_an_interrupt_leaves_what_was_kept_and_a_second_run_does_the_rest(self, engine: Engine) -> None:
        """Ctrl-C after the third result ends the run at once; run again for what is missing, it gives the whole."""
        kept: dict[float, float] = {}

        def keep(task: float, result: float) -> None:
            kept[task] = result
            if len(kept) == 3:
                raise KeyboardInterrupt

        tasks = [0.01, 0.011, 0.012, 0.013, 30.0]
        with pytest.raises(KeyboardInterrupt):
            engine.run(_sleep, tasks, _nobody, keep)
        assert len(kept) == 3
        engine.run(_sleep, [task for task in tasks[:-1] if task not in kept], _nobody, kept.__setitem__)
        assert kept == {task: task for task in tasks[:-1]}

    @pytest.mark.parametrize(
        "error",
        [ValueError("no number"), TamperedError("other bytes"), FileNotFoundError(2, "No such file", "rows.csv")],
        ids=["a plain one", "one of ours", "one of the system"],
    )
    def test_what_a_task_raises_is_raised(self, engine: Engine, error: Exception) -> None:
        """The exception has the type and the words it had in the worker."""
        with pytest.raises(type(error)) as raised:
            engine.run(_fail, [error] * 3, _nobody)
        assert str(raised.value) == str(error)

    def test_an_exception_that_cannot_travel_is_told(self, engine: Engine) -> None:
        """Its name and its words arrive as an error of the project's code."""
        with pytest.raises(UserCodeError, match="_Odd: of two halves"):
            engine.run(_fail_oddly, [1, 2], _nobody)

    def test_a_function_that_cannot_travel_is_refused(self, engine: Engine) -> None:
        """A lambda has no name to be found by; the message says what to do."""
        with pytest.raises(
            InvalidInputError, match=r"<lambda> with its tasks cannot be sent to a worker.*top of a module"
        ):
            engine.run(lambda task: task, [1, 2], _nobody)

    def test_a_result_that_cannot_travel_is_refused(self, engine: Engine) -> None:
        """An open generator cannot be sent back; the message says what it was."""
        with pytest.raises(InvalidInputError, match="The result, a generator, cannot be sent back"):
            engine.run(_generator, [1, 2], _nobody)

    def test_a_task_whose_worker_was_killed_is_run_again(self, engine: Engine, tmp_path: Path) -> None:
        """A worker killed with -9, and the one after it: the results are as if nothing had been."""
        tasks = [(tmp_path / str(number), number in {1, 5}) for number in range(8)]
        assert engine.run(_die_twice, tasks, _nobody) == list(range(8))

    def test_a_task_that_kills_every_worker_is_named(self, engine: Engine) -> None:
        """After the third death it is the task that is to blame; the others' results are kept."""
        with pytest.raises(UnavailableError, match=r"A worker died three times over poison: .* fewer workers"):
            engine.run(_die_of_poison, ["bread", "poison", "wine"], _nobody)


def _nobody(done: int, of: int) -> None:
    del done, of


def _sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def _fail(error: Exception) -> None:
    raise error


class _Odd(Exception):  # noqa: N818
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def _fail_oddly(task: int) -> None:
    del task
    raise _Odd("of two", "halves")


def _generator(task: int) -> Any:
    return (task for _ in range(3))


def _die_twice(task: tuple[Path, bool]) -> int:
    place, is_deadly = task
    if is_deadly:
        for death in ("first", "second"):
            mark = place.with_suffix(f".{death}")
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
    return int(place.name)


def _die_of_poison(task: str) -> str:
    if task == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return task
