"""Memory that a witness needs is known before anything is allocated, and what does not fit is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import archcalc
from archcalc import Network
from archcalc.errors import ArchcalcError
from archcalc.witness import need
from archcalc.witness.need import Room

torch = pytest.importorskip("torch")

from archcalc.witness import tools  # noqa: E402
from archcalc.witness.device import device  # noqa: E402
from archcalc.witness.verify import verify  # noqa: E402

SMALL = "input: [4, 64, 64]\nlayers:\n  - conv: {out: 8, kernel: 3, pad: 1}\n    name: c\n  - relu:\n"


def small(tmp_path: Path, text: str = SMALL) -> Network:
    (tmp_path / "small.yaml").write_text(text)
    return archcalc.load(str(tmp_path / "small.yaml"))


def test_what_a_run_needs_by_arithmetic(tmp_path: Path) -> None:
    """4 channels of 64 x 64 become 8. The largest layer is the ReLU: it has 8 channels before and behind it."""
    weights, into, out = 8 * 4 * 9, 4 * 64 * 64, 8 * 64 * 64
    assert need.of_run(small(tmp_path)).parts == {
        "weights": 4 * (weights + 8),
        "input": 4 * into,
        "feature maps": 4 * out,  # the caller holds the input, and ReLU writes in place
        "copies in an operator": 4 * (out + out),
        "libraries": 200_000_000,
    }


def test_it_is_refused_with_the_numbers(tmp_path: Path) -> None:
    network = small(tmp_path)
    with pytest.raises(ArchcalcError) as refused:
        verify(network, device("cpu"), room=Room(10**8, 10**8))
    assert str(refused.value) == (
        "small: verify at 4x64x64 needs about 200.5 MB (191.2 MiB) of memory, 100.0 MB (95.4 MiB) are free: weights 1.2 KB, "
        "input 65.5 KB, feature maps 131.1 KB, copies in an operator 262.1 KB, libraries 200.0 MB; take a smaller --input, "
        "or --device meta, which needs almost none"
    )


def test_what_just_fits_is_run(tmp_path: Path) -> None:
    from archcalc.witness.gradients import planned

    network = small(tmp_path)
    total = need.of_run(network).total + planned(network, 200).size
    assert not verify(network, device("cpu"), room=Room(total, total)).problems
    with pytest.raises(ArchcalcError, match="gradients for fields"):
        verify(network, device("cpu"), room=Room(total - 1, total - 1))


@pytest.mark.parametrize("input", [(3, 60_000, 60_000), (3, 30_000, 30_000), (3, 400_000, 4_000)])
def test_nothing_is_allocated_before(input: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest input is 43 GB: the sentence comes before the first tensor on the device."""
    network = archcalc.load("resnet18").analyze(input=input).network
    monkeypatch.setattr(torch, "randn", lambda *size, **how: pytest.fail("allocated"))
    monkeypatch.setattr(torch, "zeros", lambda *size, **how: pytest.fail("allocated"))
    with pytest.raises(ArchcalcError, match=r"verify at 3x.* needs about .* GB .* are free: weights 46\.8 MB, input "):
        verify(network, device("cpu"), room=Room(4 * 10**9, 4 * 10**9))
    with pytest.raises(ArchcalcError, match=r"fvcore at 3x.* needs about .* are free"):
        tools.measure("fvcore", network, Room(4 * 10**9, 4 * 10**9))


def test_the_device_and_the_host_are_asked_each_for_its_part(tmp_path: Path) -> None:
    network = small(tmp_path)
    on_gpu = device("cpu")._replace(name="cuda")
    with pytest.raises(ArchcalcError, match=r"weights 1\.2 KB, input"):
        verify(network, on_gpu, room=Room(10**8, 10**12))
    with pytest.raises(ArchcalcError, match=r"are free: gradients for fields [\d.]+ KB, libraries"):
        verify(network, on_gpu, room=Room(10**12, 10**8))


def test_a_device_without_values_needs_none(tmp_path: Path) -> None:
    assert not verify(small(tmp_path), device("meta"), room=Room(0, 0)).problems
    network = archcalc.load("resnet18").analyze(input=(3, 2_000, 2_000)).network
    assert tools.measure("torch", network, Room(0, 0)).operations > 0


def test_a_connection_table_is_trained_on_the_cpu() -> None:
    with pytest.raises(ArchcalcError, match=r"weights and gradients .*, training peak "):
        verify(archcalc.load("lenet5"), device("meta"), room=Room(10**8, 10**8))


def test_unknown_free_memory_refuses_nothing(tmp_path: Path) -> None:
    assert not verify(small(tmp_path), device("cpu"), room=Room(None, None)).problems


def test_the_command_says_it_in_one_sentence(archcalc) -> None:
    """More than any machine has: 3 x 2,000,000 x 2,000,000 floats are 48 TB."""
    status, out, err = archcalc("verify", "resnet18", "--input", "3x2000000x2000000", "--device", "cpu")
    assert (status, out) == (2, "")
    assert err.startswith("archcalc: resnet18: verify at 3x2000000x2000000 needs about 1,0")
    assert err.count("\n") == 1
    status, out, err = archcalc("explain", "resnet18", "--as", "fvcore", "--measure", "--input", "3x2000000x2000000")
    assert (status, out) == (2, "")
    assert err.startswith("archcalc: resnet18: fvcore at 3x2000000x2000000 needs about 1,0")


RUN = """
import os, sys
import archcalc
from archcalc.witness import need
from archcalc.witness.device import device
from archcalc.witness.verify import verify
import fvcore.nn, torch, torchvision
torch.set_num_threads(1)
def most():  # of this process alone: ru_maxrss counts what the process had that started this one
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
for name, size in zip(sys.argv[1::2], map(int, sys.argv[2::2])):
    if os.fork():  # each network has a process of its own
        assert os.wait()[1] == 0
        continue
    network = archcalc.load(name).analyze(input=(3, size, size)).network
    before = most()
    verify(network, device("cpu"), 4)
    print(most() - before, need.of_run(network).total, flush=True)
    os._exit(0)
"""


def test_a_run_takes_no_more_than_was_said() -> None:
    """By the operating system's own count, and no fourth of it less."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the largest memory of a process stands in /proc/self/status on Linux")
    sizes = ["resnet18", "600", "vgg11_bn", "256"]
    run = subprocess.run([sys.executable, "-c", RUN, *sizes], capture_output=True, text=True, check=True)
    found = [tuple(map(int, line.split())) for line in run.stdout.splitlines()]
    assert len(found) == 2
    for used, said in found:
        assert said / 4 < used <= said


# What is free.


def group(folder: Path, limit: str, used: str, stat: str = "inactive_file 0", version: int = 2) -> None:
    names = need.VERSION_2 if version == 2 else need.VERSION_1
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip((*names, "memory.stat"), (limit, used, stat), strict=True):
        (folder / name).write_text(text + "\n")


def test_limits_of_control_groups(tmp_path: Path) -> None:
    """The tightest limit on the way up counts; what the system may drop is free."""
    own = tmp_path / "own"
    own.write_text("0::/box/job\n")
    group(tmp_path / "box" / "job", "max", "100")
    group(tmp_path / "box", "5000", "3000", "anon 7\ninactive_file 500")
    group(tmp_path, "9000", "1000")
    assert list(need._left_in_groups(tmp_path, own)) == [2500, 8000]


def test_limits_of_control_groups_of_version_1(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("5:cpu:/box\n4:memory:/box\n0::/\n")
    group(tmp_path / "memory" / "box", "700", "300", "inactive_file 1\ntotal_inactive_file 50", version=1)
    assert list(need._left_in_groups(tmp_path, own)) == [450]


def test_no_control_groups(tmp_path: Path) -> None:
    assert list(need._left_in_groups(tmp_path, tmp_path / "nothing")) == []
    (tmp_path / "own").write_text("0::/box\n")
    assert list(need._left_in_groups(tmp_path, tmp_path / "own")) == []


def test_this_machine() -> None:
    free = need.free_memory()
    if free is None:
        pytest.skip("the system does not say")
    assert 0 < free < 2**60
    room = Room.of("cpu")  # asked once: a moment later another process may have taken some
    assert room.device == room.host


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_is_asked_for_its_own() -> None:
    assert 0 < (Room.of("cuda").device or 0) <= torch.cuda.mem_get_info()[1]
