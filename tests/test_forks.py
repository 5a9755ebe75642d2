"""Work in copies of a process. Each test is a process of its own, because a process with several threads makes no copies."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system makes no copies of processes")


def run(program: str) -> str:
    """What a program prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_each_part_has_a_process_and_the_results_have_the_order_of_the_parts():
    """The results are larger than what a pipe holds."""
    program = """
import os
from archcalc.forks import in_copies
found = in_copies(lambda n: (n, os.getpid(), bytes(10**6)), [3, 1, 2])
print([n for n, _, _ in found], len({pid for _, pid, _ in found}), found[0][1] == os.getpid())
try:
    os.wait()
except ChildProcessError:
    print("no copy is left")
"""
    assert run(program) == "[3, 1, 2] 3 True\nno copy is left\n"


@pytest.mark.parametrize("part", ["here", "there"])
def test_a_part_that_fails_is_told_by_nothing(part: str):
    program = f"""
import os
from archcalc.errors import ArchcalcError
from archcalc.forks import in_copies
def work(one):
    if one == {part!r}:
        raise ArchcalcError("no")
print(in_copies(work, ["here", "there", "elsewhere"]))
try:
    os.wait()
except ChildProcessError:
    print("no copy is left")
"""
    assert run(program) == "None\nno copy is left\n"


def test_a_copy_that_is_killed_is_told_by_nothing():
    program = """
import os, signal
from archcalc.forks import in_copies
here = os.getpid()
print(in_copies(lambda n: os.getpid() == here or os.kill(os.getpid(), signal.SIGKILL), [1, 2]))
"""
    assert run(program) == "None\n"


def test_a_system_that_refuses_a_copy():
    """The second copy is one too many. Its pipe is closed, and the first copy has ended."""
    program = """
import os
from archcalc.forks import in_copies
fork, left = os.fork, [1]
def refuse():
    if not left:
        raise OSError("Resource temporarily unavailable")
    left.pop()
    return fork()
os.fork = refuse
files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
print(in_copies(str, [1, 2, 3]))
try:
    os.wait()
except ChildProcessError:
    print("no copy is left")
assert not files or len(os.listdir("/proc/self/fd")) == files
"""
    assert run(program) == "None\nno copy is left\n"


def test_a_process_with_threads_makes_no_copies():
    program = """
import threading
from archcalc.forks import in_copies
wait = threading.Event()
thread = threading.Thread(target=wait.wait)
thread.start()
print(in_copies(str, [1, 2]))
wait.set()
"""
    assert run(program) == "None\n"


@pytest.mark.parametrize(
    ("columns", "sort", "where"),
    [
        (["network", "params", "rf", "top1", "width"], "-macs", None),
        (["network", "macs"], None, "width > 0.25 and field >= 1"),
    ],
)
def test_the_zoo_is_listed_in_several_processes(columns: list[str], sort: str | None, where: str | None):
    """The rows, and the networks that lack a figure, are those of one process; so is the sentence of an error."""
    program = f"""
import os
from archcalc import ArchcalcError
from archcalc.report import zoo
zoo.MANY = 2
asked = ["lenet5", "vgg11", "squeezenet*", "mobilenet_v1*", "alexnet"], {columns}, {sort!r}, {where!r}
alone = zoo.list_table(*asked)
assert os.times().children_user == 0
for processes in (2, 3, 8):
    assert zoo.list_table(*asked, processes) == alone
assert os.times().children_user > 0
try:
    zoo.list_table(["vgg11", "lenet5"], where="time('none') < 1ms", processes=2)
except ArchcalcError as error:
    print(error)
print(len(alone.rows), alone.footer)
"""
    said, found, _ = run(program).split("\n")
    assert said.startswith("unknown device 'none'")
    assert found.startswith("15 []" if where is None else "7 ['7 networks without a figure of the condition left out: ")
