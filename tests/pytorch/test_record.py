"""Records are whole: one for each layer type, each with all its facts, and none disagrees with how the layer runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from archcalc import Network
from archcalc.errors import ArchcalcError
from archcalc.layers import base, registry
from archcalc.layers.base import Pointwise
from archcalc.layers.resample import Pooled
from archcalc.memory.training import training
from archcalc.pytorch import JoinRecord, Record, record, records
from archcalc.pytorch.rearrange import MovingRecord
from archcalc.pytorch.record import gaps
from archcalc.sizes import NO_WORK, Shape


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What a test registers is gone after it."""
    before = dict(base._registry), dict(record._records)
    yield
    for registered, kept in zip((base._registry, record._records), before, strict=True):
        registered.clear()
        registered.update(kept)


def test_every_layer_type_has_a_record() -> None:
    assert set(records) == set(registry) - {"input"}
    assert all(records[type].type == type for type in records)
    assert gaps(registry) == []


def test_a_layer_type_without_a_record() -> None:
    class Mine(Pointwise, type="mine"):
        def work(self, out, x):
            return NO_WORK

    sentence = "the layer type 'mine' (Mine) has no PyTorch record: add class MineRecord(Record, type='mine')"
    assert gaps(registry) == [sentence]
    network = Network("net", Shape(1))
    network.add("mine", Mine())
    with pytest.raises(ArchcalcError) as raised:
        training(network)
    assert str(raised.value) == sentence


def test_a_record_without_a_layer_type() -> None:
    class MineRecord(MovingRecord, type="mine"):
        def code(self, layer, x, out):
            raise NotImplementedError

        def run(self, tape, layer, xs, shapes, out):
            raise NotImplementedError

    assert gaps(registry) == ["the PyTorch record MineRecord is of 'mine', and no layer is called so"]


def test_two_records_of_one_type() -> None:
    with pytest.raises(TypeError, match=r"^two PyTorch records are of 'relu': ReluRecord and Other$"):

        class Other(type(records["relu"]), type="relu"):
            pass


def test_a_record_that_is_defined_again_takes_the_place_of_the_first() -> None:
    for _ in range(2):

        class Mine(MovingRecord, type="mine"):
            code = run = lambda *_: None

        assert type(records["mine"]) is Mine


@pytest.mark.parametrize(
    ("of", "stated", "missing"),
    [
        (Record, (), "code, run, saves_input, saves_output, in_place, keeps_format, stand_in"),
        (JoinRecord, ("run", "stand_in", "in_place"), "write, saves_input, saves_output, keeps_format"),
        (MovingRecord, ("code",), "run"),
    ],
)
def test_a_record_without_a_fact(of, stated, missing) -> None:
    with pytest.raises(TypeError, match=f"^the PyTorch record of 'mine' does not state its {missing}$"):
        type("Mine", (of,), dict.fromkeys(stated, False), type="mine")


def test_the_room_cannot_be_imported_with_a_gap() -> None:
    code = """
from archcalc import layers
from archcalc.layers.base import Pointwise
class Mine(Pointwise, type="mine"):
    work = None
layers.BUILT_IN = frozenset(layers.registry)
import archcalc.pytorch
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("TypeError: the layer type 'mine' (Mine) has no PyTorch record")


AXES: dict[str, tuple[int, ...]] = {"expand": (1, 6), "rbf": (), "to_map": (6,), "from_windows": (9, 4)}
SETTINGS: dict[str, list[dict]] = {
    "conv": [{"out": 4, "kernel": 3}],
    "conv_transpose": [{"out": 4, "kernel": 3}],
    "conv_table": [{"kernel": 2, "table": [[0], [1, 3]]}],
    "locally_connected": [{"out": 4, "kernel": 3}],
    "linear": [{"out": 5, "axis": "channels"}, {"out": 5, "axis": "last"}],
    "max_pool": [{"kernel": 2, "stride": 2}],
    "avg_pool": [{"kernel": 2, "stride": 2}, {"kernel": 2, "stride": 2, "dilation": 2}],
    "subsample": [{"kernel": 2, "stride": 2}],
    "adaptive_avg_pool": [{"out": 2}, {"out": 1}],
    "adaptive_max_pool": [{"out": 2}],
    "batch_norm": [{}, {"frozen": True}],
    "attention": [{"heads": 2}, {"heads": 2, "bias": "relative", "block": [2, 3], "shift": 1, "size": [4, 9]}],
    "layer_norm": [{"axis": "channels"}, {"axis": "all"}],
    "rms_norm": [{"axis": "channels"}, {"axis": "all"}],
    "reduce": [{"by": by, "axis": axis} for by in ("mean", "sum", "max") for axis in ("channels", "positions")],
    "softmax": [{}, {"axis": "last"}],
    "group_norm": [{"groups": 2}],
    "scale": [{"factor": 2}],
    "math": [{"function": "abs"}, {"function": "exp"}],
    "upsample": [{"scale": 2}],
    "unpool": [{"of": Pooled(2, 2, 0, 1, False, Shape(4, (6, 6)), Shape(4, (3, 3)))}],
    "drop_path": [{"p": 0.5}],
    "slice": [{"start": 1}],
    "crop": [{"by": 1}],
    "pad": [{"by": 1}, {"by": 1, "mode": "reflect"}],
    "roll": [{"by": 1}],
    "expand": [{"size": [3, 6]}],
    "pad_channels": [{"after": 1}],
    "channel_shuffle": [{"groups": 2}],
    "space_to_depth": [{"block": 2}],
    "unfold": [{"kernel": 3}],
    "fold": [{"kernel": 2}],
    "pixel_shuffle": [{"factor": 2}],
    "windows": [{"size": 2}],
    "to_map": [{"size": [2, 3]}],
    "from_windows": [{"size": [6, 6]}],
    "rbf": [{"out": 5}],
    "roi_align": [{"size": 2, "regions": 3}],
    "roi_pool": [{"size": 2, "regions": 3}],
    "ps_roi_pool": [{"size": 2, "regions": 3}],
    "parameter": [{"size": [4, 6, 6]}],
    "index_select": [{"count": 4}],
    "rearrange": [{"pattern": "c h w -> c w h"}, {"pattern": "c h w -> c (w h)"}],
}


@pytest.mark.parametrize("type", sorted(set(registry) - {"input"}))
def test_what_a_layer_saves_is_what_its_record_says(type) -> None:
    """Of the input's and the output's storage, over all its forms; a view of a storage counts as that storage."""
    said, saved = records[type], {"input": False, "output": False}
    for settings in SETTINGS.get(type, [{}]):
        for storage in ("new", "in_place"):
            network = Network("net", Shape(4, AXES.get(type, (6, 6))))
            tokens = type == "attention"  # which saves tokens whose channels lie next to each other
            linear = registry["linear"](out=4, axis="channels" if tokens else None)
            network.add("before", linear if tokens or not network.input.axes else registry["conv"](out=4, kernel=1))
            others = (
                max(1, len(registry[type].slots) - registry[type].optional_slots - 1) if registry[type].joins else 0
            )
            width = 2 if type == "grid_sample" else 4
            inputs = [1, *[network.add("other", registry["conv"](out=width, kernel=1)) for _ in range(others)]]
            pool = network.add("pool", registry["max_pool"](kernel=2, stride=2), [1]) if type == "unpool" else None
            inputs = inputs if pool is None else [pool]
            network.add("layer", registry[type](**settings), inputs, storage=storage, shares=pool)
            schedule = training(network)
            kept = [one for one in schedule.saved if one.node == len(network.nodes) - 1]
            saved["input"] |= any(one.storage is schedule.outputs[1] and "output" not in one.why for one in kept)
            saved["output"] |= any("output" in one.why for one in kept)
    assert saved == {"input": said.saves_input, "output": said.saves_output}
