"""What workers are asked to do lives at the top of this module, where a fresh process finds it."""

import os
import signal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinexplain.errors import OutputError
from spinexplain.workers import outcomes, run_all


def doubled(number):
    return 2 * number


def killed_if(deadly, folder, number):
    """Note the attempt; then die as without memory, if the item is deadly."""
    with (folder / f"{number}.txt").open("a") as file:
        file.write("x")
    if number in deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def killed_once(folder, number):
    return killed_if({1} if not (folder / "1.txt").exists() else set(), folder, number)


def fails(number):
    raise ValueError(f"no {number}")


def marked(_):
    return os.environ["SPINEXPLAIN_TEST_MARK"]


def mark():
    os.environ["SPINEXPLAIN_TEST_MARK"] = "started"


@given(st.lists(st.integers()))
def test_in_one_process_it_is_map(numbers):
    assert run_all(doubled, numbers) == [2 * number for number in numbers]


def test_processes_give_what_one_gives(listener):
    found = run_all(doubled, range(4), 2, progress=listener, step="numbers")
    assert sorted(found) == [0, 2, 4, 6]
    assert listener.steps == [("numbers", done, 4) for done in range(1, 5)]


def test_a_worker_killed_once_costs_nothing(tmp_path):
    assert sorted(run_all(partial(killed_once, tmp_path), range(3), 2)) == [0, 1, 2]
    assert (tmp_path / "1.txt").read_text() == "xx"


def test_an_item_that_kills_is_tried_twice_and_the_others_are_finished(tmp_path):
    found = list(outcomes(partial(killed_if, {1}, tmp_path), range(5), 2))
    assert sorted(outcome.item for outcome in found) == [0, 1, 2, 3, 4]
    assert [outcome.item for outcome in found if outcome.killed] == [1]
    assert (tmp_path / "1.txt").read_text() == "xx"


def test_what_is_given_up_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"number 1: .*killed twice.*fewer jobs than 2"):
        run_all(partial(killed_if, {1}, tmp_path), range(3), 2, name="number {}".format)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.txt", "1.txt", "2.txt"]


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_the_function_come_through(workers):
    with pytest.raises(ValueError, match=r"no \d"):
        run_all(fails, range(2), workers)


def test_every_worker_is_started():
    assert run_all(marked, range(2), 2, start=mark) == ["started", "started"]
