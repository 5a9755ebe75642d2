"""Where the blocks of a sweep are computed: in this process, in several processes, or on the workers of a Dask cluster."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process
from os import _exit, cpu_count
from os.path import isfile
from threading import Thread
from typing import Any

from archcalc.errors import ArchcalcError, clipped
from archcalc.importing.formats import is_model
from archcalc.language.zoo import STDIN
from archcalc.network import Network
from archcalc.spaces.sweep import Request, Result, Sweep

MOST_TRIES = 3
"""How often a block is given to a worker, if the worker ends without a result."""
AHEAD = 2
"""The blocks that each worker is given ahead of time, so that it does not wait; more would fill the memory."""
SECONDS = 10
"""How long a scheduler is waited for."""

_request: Request | None = None
_here: Sweep | None = None
"""The sweep of a worker process."""


def computed(sweep: Sweep, numbers: Sequence[int], workers: int, scheduler: str | None) -> Iterator[tuple[int, Result]]:
    """The blocks with these numbers, as they are done, each with its number.

    ArchcalcError if other processes cannot load the network: they need its name or its file.
    """
    if scheduler is not None or workers > 1:
        sweep = by_name(sweep)
    if scheduler is not None:
        yield from _on_cluster(sweep, numbers, scheduler)
    elif workers > 1 and len(numbers) > 1:
        yield from _in_processes(sweep, numbers, min(workers, len(numbers), max(2, cpu_count() or 1)))
    else:
        for number in numbers:
            yield number, sweep.block(number)


def by_name(sweep: Sweep) -> Sweep:
    """The sweep with a network that other processes can load: by its name, its file or its text, its settings and its input."""
    request, network = sweep.request, sweep.network
    if network.file == STDIN:
        raise ArchcalcError(
            f"{STDIN} is read by one process alone: write the spec to a file, or compute in one process"
        )
    if isinstance(request.net, str):
        return sweep
    net = network.title if network.origin == "pattern" else network.zoo_name or network.file
    if isfile(net):
        net = f"{net}:{network.name}"
    elif network.origin == "code" or (network.origin == "file" and not is_model(net)):
        raise ArchcalcError(f"{network.full_name} was made by code, which other processes do not have: workers=1")
    axes = [axis.name for axis in request.axes]
    settings = {name: value for name, value in network.settings_changed.items() if name not in axes}
    input = None if network.at_own_input else network.inputs
    named = Sweep(request._replace(net=net, settings=settings, input=input))
    if _structure(named.network) != _structure(network.at(network.inputs, named.network.settings)):
        raise ArchcalcError(f"{network.full_name} was changed by code, which other processes do not have: workers=1")
    return named


def _structure(network: Network) -> list[Any]:
    return [(node.name, repr(node.layer), node.inputs, node.shape, node.storage) for node in network.nodes]


def _begin(request: Request) -> None:
    """Begin a worker process. An error of the request is that of a block, which the parent gets."""
    global _request
    Thread(target=_end_with_parent, daemon=True).start()
    _request = request


def _end_with_parent() -> None:
    """End a worker whose parent was killed: nobody else would."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    _exit(1)


def _block(number: int) -> Result:
    assert _request is not None
    return _of_request(_request, number)


def _in_processes(sweep: Sweep, numbers: Sequence[int], workers: int) -> Iterator[tuple[int, Result]]:
    """The blocks, in new processes. If a process dies, its blocks are given to another one."""
    left, tries = list(reversed(numbers)), Counter[int]()
    while left:
        others = active_children()
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (sweep.request,))
        try:
            for number, result in _as_done(partial(_submitted, pool), left, workers):
                yield number, result
        except BrokenProcessPool as error:
            number = left[-1]
            tries[number] += 1
            if tries[number] == MOST_TRIES:
                raise ArchcalcError(
                    f"a process of the sweep ended {MOST_TRIES} times without a result (block {number}): is the memory full? "
                    "fewer workers need less"
                ) from error
        finally:
            for process in active_children():
                if left and process not in others:
                    process.terminate()  # a block may take minutes
            pool.shutdown(wait=True, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, number: int) -> Future[Result]:
    """A block for the pool, which may start a process for it."""
    with _without_interrupts():
        return pool.submit(_block, number)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C waits. Processes that are started meanwhile never see it: the one that the user started ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _as_done(submit: Callable[[int], Any], left: list[int], workers: int) -> Iterator[tuple[int, Result]]:
    """The blocks in ``left``, last first, as they are done. A block is taken out when its result is here."""
    waiting: dict[Future[Result], int] = {}
    todo = list(left)
    while todo or waiting:
        while todo and len(waiting) < AHEAD * workers:
            number = todo.pop()
            waiting[submit(number)] = number
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            number = waiting.pop(future)
            result = future.result()
            left.remove(number)
            yield number, result


def _of_request(request: Request, number: int) -> Result:
    """A block on a worker, which makes the sweep of a request once."""
    global _here
    if _here is None or _here.request._replace(prepare=None) != request._replace(prepare=None):
        _here = Sweep(request)
    return _here.block(number)


def _on_cluster(sweep: Sweep, numbers: Sequence[int], scheduler: str) -> Iterator[tuple[int, Result]]:
    """The blocks, on the workers of a Dask scheduler, which gives the blocks of a lost worker to others."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ArchcalcError("--scheduler needs distributed: pip install 'archcalc[cluster]'") from None
    try:
        # a client with an address that cannot be would print a traceback
        distributed.comm.resolve_address(scheduler)
        client = distributed.Client(scheduler, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError, OverflowError) as error:
        raise ArchcalcError(
            f"no scheduler answers at {scheduler}: {str(error).splitlines()[0] if str(error) else type(error).__name__}; "
            "dask scheduler starts one, and prints its address, such as tcp://host:8786"
        ) from None
    with client:
        cores = sum(client.ncores().values())
        if not cores:
            raise ArchcalcError(f"the scheduler at {scheduler} has no workers: dask worker {scheduler} starts one")
        todo, tries = list(reversed(numbers)), Counter[int]()

        def scattered() -> Any:
            return client.scatter(sweep.request, broadcast=True, hash=False)

        def submit(number: int) -> Any:
            key = f"{client.id}-{tries[number]}-{number}"
            return client.submit(_of_request, request, number, pure=False, retries=MOST_TRIES, key=key)

        request = scattered()
        first = [submit(todo.pop()) for _ in range(min(AHEAD * cores, len(todo)))]
        running = distributed.as_completed(first, loop=client.loop)
        for future in running:
            number = int(future.key.rpartition("-")[2])
            try:
                if future.cancelled() and tries[number] < MOST_TRIES:  # all workers that had the request are lost
                    tries[number] += 1
                    request = scattered()
                    running.add(submit(number))
                    continue
                result = future.result()
            except (OSError, CancelledError, distributed.KilledWorker) as error:
                raise ArchcalcError(
                    f"the cluster at {scheduler} lost block {number}: {clipped(str(error), 200)}"
                ) from None
            future.release()
            yield number, result
            if todo:
                running.add(submit(todo.pop()))
