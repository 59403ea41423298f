"""Programs that talk, fail, hang and leave children behind."""

import os
import sys
import time

import pytest

from spinexplain.errors import LocalizerError
from spinexplain.spine.subprocesses import run_program


def run(tmp_path, code, timeout_s=60.0, note=None):
    script = tmp_path / "program.py"
    script.write_text(code)
    return run_program([sys.executable, str(script)], tmp_path, os.environ, timeout_s, note)


def test_lines_come_as_they_are_printed_and_carriage_returns_end_lines(tmp_path):
    lines = []
    code = (
        "import sys, time\n"
        "sys.stderr.write('10%|#   |\\r50%|##  |\\r'); sys.stderr.flush()\n"
        "print('done \\x1b[31mred\\x1b[0m \\xff')\n"
    )
    finished = run(tmp_path, code, note=lines.append)
    assert finished.code == 0
    assert set(lines) == {"10%|#   |", "50%|##  |", "done  [31mred [0m ÿ"}
    assert finished.tail[:2] == ("10%|#   |", "50%|##  |")


def test_a_flood_of_output_neither_blocks_nor_fills_the_tail(tmp_path):
    code = "import sys\nfor i in range(50000): sys.stderr.write(f'line {i} ' + 'x' * 50 + '\\n')"
    finished = run(tmp_path, code)
    assert finished.code == 0
    assert len(finished.tail) == 20
    assert finished.tail[-1].startswith("line 49999")


def test_the_exit_code_and_the_last_words_are_kept(tmp_path):
    finished = run(tmp_path, "import sys\nprint('out')\nsys.exit('no license')")
    assert finished.code == 1
    assert finished.tail == ("no license", "out")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc to see processes")
@pytest.mark.parametrize("outlives", [False, True])
def test_children_end_with_the_program(tmp_path, outlives):
    """A hanging program is killed with its child; so is a child that outlives it."""
    code = (
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        + ("" if outlives else "time.sleep(600)\n")
    )
    if outlives:
        assert run(tmp_path, code).code == 0
    else:
        with pytest.raises(LocalizerError, match="was stopped after 3 s"):
            run(tmp_path, code, timeout_s=3)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not is_running(pid):
            break
        time.sleep(0.05)
    assert not is_running(pid)


def test_nothing_is_read_from_the_terminal(tmp_path):
    assert run(tmp_path, "import sys\nsys.exit(len(sys.stdin.read()))").code == 0


def test_what_can_not_be_started(tmp_path):
    with pytest.raises(LocalizerError, match="cannot be started"):
        run_program([str(tmp_path)], tmp_path, os.environ, 1.0)


def test_an_observer_that_fails_is_heard_after_the_program_ended(tmp_path):
    def fail(line):
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError, match="one"):
        run(tmp_path, "print('one')\nprint('two')", note=fail)
