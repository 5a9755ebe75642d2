"""Sweeps on several processes, and on a Dask cluster: the same rows, also if a worker is lost."""

from __future__ import annotations

import io
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from archcalc import ArchcalcError, Network, Shape, load
from archcalc.memory.deployed import fold_batch_norm
from archcalc.spaces import space as spaces
from archcalc.spaces.axes import read_axis
from archcalc.spaces.run import run
from archcalc.spaces.sweep import Request, Sweep
from archcalc.spaces.workers import MOST_TRIES, by_name

AXES = ("input=32:44:4", "batch=1:3", "classes=10,20")
DARKNET = str(Path(__file__).parents[2] / "docs" / "examples" / "residual.cfg")
BLOCK = 5
"""Points of a block here and in every worker: 24 points are 5 blocks."""


def small_blocks() -> None:
    spaces.MOST_IN_BLOCK = BLOCK


def dies(here: int, times: int, folder: str) -> None:
    """End the process, unless it is the test's own, or so many have died already."""
    small_blocks()
    if os.getpid() != here and len(os.listdir(folder)) < times:
        Path(folder, str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def waits(here: int, pipe: str) -> None:
    """Wait for ever with an open pipe, unless the process is the one that has the workers."""
    small_blocks()
    if os.getpid() != here:
        with open(pipe, "w") as held:
            print("here", file=held, flush=True)
            threading.Event().wait()


@pytest.fixture(autouse=True)
def as_before():
    before = spaces.MOST_IN_BLOCK
    yield
    spaces.MOST_IN_BLOCK = before


def request(prepare) -> Request:
    return Request("lenet5", tuple(map(read_axis, AXES)), {}, prepare=prepare)


def test_two_processes_write_the_same_bytes_and_a_lost_one_loses_nothing(tmp_path):
    run(request(None), output=str(tmp_path / "one.csv"))
    (tmp_path / "dead").mkdir()
    prepare = partial(dies, os.getpid(), 1, str(tmp_path / "dead"))
    outcome = run(request(prepare), output=str(tmp_path / "two.csv"), workers=2)
    assert len(os.listdir(tmp_path / "dead")) >= 1
    assert outcome.points == 24
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_processes_that_always_die_are_said(tmp_path):
    prepare = partial(dies, os.getpid(), 1000, str(tmp_path))
    with pytest.raises(ArchcalcError, match=f"a process of the sweep ended {MOST_TRIES} times without a result"):
        run(request(prepare), workers=2)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_process_that_the_user_started(tmp_path, stop):
    pipe, output = str(tmp_path / "pipe"), str(tmp_path / "rows.csv")
    os.mkfifo(pipe)
    sweep = f"run(request(partial(waits, os.getpid(), {pipe!r})), output={output!r}, workers=2)"
    program = [sys.executable, "-c", f"from {__name__} import *\n{sweep}"]
    with (
        (tmp_path / "said").open("w") as said,
        subprocess.Popen(program, stderr=said) as process,
        open(pipe, "rb", 0) as held,
    ):
        process.send_signal(stop)
        alive = held.read(1)
        while alive and select.select([held], [], [], 60)[0]:
            alive = held.read(1)
        if alive:
            process.kill()
    assert not alive  # no process has the pipe
    kept = f"stopped; the blocks that are done are kept in {output}.parts, and the same command goes on from there"
    assert (kept in (tmp_path / "said").read_text()) == (stop == signal.SIGINT)


def test_a_network_of_code_is_not_sent_to_processes():
    network = Network("mine", Shape(3, (8, 8)))
    with pytest.raises(ArchcalcError, match="mine was made by code, which other processes do not have: workers=1"):
        run(Request(network, (read_axis("batch=1,2"),), {}), workers=2)


@pytest.mark.parametrize(
    "network",
    [
        load("lenet5", input=(1, 40, 36)),
        load("mobilenet_v2", width=0.5),
        load("INPUT 32x32x3 -> CONV3-8 -> FC-10", input=(3, 8, 8)),
        load(DARKNET, input=(3, 32, 32)),
    ],
    ids=lambda network: network.name,
)
def test_other_processes_have_the_network_with_its_settings_and_its_input(network):
    sweep = Sweep(Request(network, (read_axis("batch=1:3"),), {}))
    named = Sweep(pickle.loads(pickle.dumps(by_name(sweep).request)))
    assert isinstance(named.request.net, str)
    found, expected = named.block(0).columns, sweep.block(0).columns
    assert {name: column.tolist() for name, column in found.items()} == {
        name: column.tolist() for name, column in expected.items()
    }


def test_a_setting_that_varies_is_not_given_to_other_processes():
    sweep = Sweep(Request(load("mobilenet_v2", width=0.5, classes=10), (read_axis("width=0.25,1.0"),), {}))
    assert by_name(sweep).request.settings == {"classes": 10}


def test_networks_that_other_processes_cannot_have_are_refused(tmp_path, monkeypatch):
    def said(network: Network | str) -> str:
        with pytest.raises(ArchcalcError) as caught:
            run(Request(network, (read_axis("batch=1,2"),), {}), workers=2)
        return str(caught.value)

    by_code = "was {} by code, which other processes do not have: workers=1"
    assert said(fold_batch_norm(load("vgg11_bn"))) == f"vgg11_bn {by_code.format('changed')}"
    (tmp_path / "mine.yaml").write_text("input: [3, 8, 8]\nlayers: [relu]\n")
    mine = load(tmp_path / "mine.yaml")
    (tmp_path / "mine.yaml").unlink()
    assert said(mine) == f"mine {by_code.format('made')}"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"input: [3, 8, 8]\nlayers: [relu]\n")))
    assert said("-") == (
        "standard input is read by one process alone: write the spec to a file, or compute in one process"
    )


def test_a_cluster_gives_the_same_rows_also_if_all_its_workers_are_lost(tmp_path):
    distributed = pytest.importorskip("distributed")
    run(request(small_blocks), output=str(tmp_path / "one.csv"))
    with distributed.LocalCluster(
        1, processes=False, protocol="tcp://", threads_per_worker=1, dashboard_address=None
    ) as own:
        others: list[Any] = []

        async def replace() -> None:
            await own.workers[0].close()
            others.append(await distributed.Worker(own.scheduler_address, nthreads=1, dashboard=False))

        def losing(steps: Any, done: int, count: int) -> Iterator[Any]:
            for step in steps:
                if not others:
                    own.sync(replace)
                yield step

        run(
            request(small_blocks),
            output=str(tmp_path / "two.csv"),
            scheduler=own.scheduler_address,
            progress=losing,
        )
        own.sync(others[0].close)
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_a_scheduler_that_is_not_there(monkeypatch):
    pytest.importorskip("distributed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr("archcalc.spaces.workers.SECONDS", 1)
    with pytest.raises(ArchcalcError, match=f"no scheduler answers at {address}"):
        run(request(None), scheduler=address)
