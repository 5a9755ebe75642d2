"""What fits: sizes as people write them, the largest batch and input, and what an optimizer holds."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError, load, networks
from archcalc.memory.budget import OPTIMIZERS, Budget, read_size
from archcalc.memory.largest_input import at_side, largest_input, with_side


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24GiB", 24 * 2**30),
        ("24 GB", 24 * 10**9),
        ("512MiB", 512 * 2**20),
        ("1.5MB", 1_500_000),
        ("100B", 100),
        ("0.5KiB", 512),
        (" 2TiB ", 2 * 2**40),
    ],
)
def test_sizes(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("24", "the size 24 needs a unit, as in 24GiB"),
        ("24GIB", "unknown unit 'GIB' in '24GIB'; did you mean 'GiB'?"),
        ("24gb", "unknown unit 'gb' in '24gb'; did you mean 'GB'?"),
        ("24Gib", "did you mean 'GiB'?"),
        ("24Mbyte", "unknown unit 'Mbyte'"),
        ("-3GiB", "expected a size such as 24GiB or 512MB, got '-3GiB'"),
        ("much", "expected a size"),
        ("", "expected a size"),
        ("1e9B", "expected a size"),
        ("1048577TiB", "the size 1048577TiB is larger than 1048576TiB, the most that is looked at"),
    ],
)
def test_sizes_that_are_none(text, message):
    with pytest.raises(ArchcalcError) as error:
        read_size(text)
    assert message in str(error.value)


def test_weights_and_optimizers():
    # VGG-16: 138,357,544 floats in 16 layers with a weight and a bias each, so 32 tensors; the largest is fc6's
    # 25088*4096, behind conv5_3's 512 biases. Adam has two moments of each float and a float32 counter per tensor, and in
    # its step two of that size and one of the tensor before.
    floats, largest = 138_357_544 * 4, 25088 * 4096 * 4
    held = {name: Budget(load("vgg16"), optimizer=name) for name in OPTIMIZERS}
    assert {name: budget.optimizer_bytes for name, budget in held.items()} == {
        "sgd": 0,
        "momentum": floats,
        "adam": 2 * floats + 32 * 4,
        "adamw": 2 * floats + 32 * 4,
    }
    assert held["adam"].weights == floats
    assert (held["sgd"].step_scratch, held["adam"].step_scratch) == (0, 2 * largest + 512 * 4)


def test_buffers_count_batches_too():
    # ResNet-18 has 4,800 channels in its 20 normalisations: a mean and a variance each, and an int64 per layer.
    assert Budget(load("resnet18")).buffers == 2 * 4800 * 4 + 20 * 8


def test_parts_add_up():
    budget = Budget(load("resnet18"), optimizer="momentum", overhead=1000)
    schedule = budget.training
    parts = budget.training_parts(4)
    assert budget.training_total(4) == parts.total
    assert parts.overhead == 1000
    assert parts.network_input == 4 * 3 * 224 * 224 * 4
    assert parts.total == 1000 + 2 * budget.weights + budget.buffers + parts.network_input + schedule.peak(4)
    assert budget.inference_parts(
        4
    ).total == 1000 + budget.weights + budget.buffers + parts.network_input + budget.inference.peak(4)


def test_the_optimizers_step_can_be_the_largest_moment():
    # With the weights of VGG-16 and one small image, what Adam holds for its step outweighs what backward holds.
    network = load("vgg16").at(load("vgg16").input._replace(axes=(32, 32)))
    budget = Budget(network, optimizer="adam")
    parts = budget.training_parts(1)
    assert budget.training_total(1) == parts.total
    assert parts.gradients == budget.weights
    assert parts.activations == 1000 * 4 + budget.step_scratch


@pytest.mark.parametrize("net", ["alexnet", "googlenet", "resnet50", "mobilenet_v2", "densenet121"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_largest_batch_fits_and_one_more_does_not(net, optimizer):
    budget = Budget(load(net), optimizer=optimizer, overhead=123_456_789)
    for size in (2 * 10**9, 24 * 2**30 + 1):
        for most, parts in (
            (budget.largest_inference(size), budget.inference_parts),
            (budget.largest_training(size), budget.training_parts),
        ):
            assert parts(most).total <= size < parts(most + 1).total


def test_nothing_fits():
    budget = Budget(load("vgg16"))
    assert budget.largest_training(600_000_000) == 0
    assert budget.largest_inference(600_000_000) == (600_000_000 - budget.weights) // (25_690_112 + 602_112)


def test_the_largest_input_fits_and_one_pixel_more_does_not():
    network, size = load("resnet18"), 10**9

    def held(there):
        return Budget(there).training_parts(8).total

    found = largest_input(network, size, held)
    side = found.input.axes[0]
    assert found.input.axes == (side, side)
    assert held(found) <= size < held(with_side(network, side + 1))


def test_sizes_that_a_network_does_not_take_are_passed_over(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "input: [4, 16, 16]\nlayers:\n  - add:\n      down:\n        - conv: {out: 4, kernel: 2, stride: 2}\n"
        "        - upsample: {scale: 2}\n      same: []\n"
    )
    # Only even sizes fit. At n the image, the upsampled map and the sum are alive: 3 of 4*n*n*4 bytes, and the weights.
    network = load(str(spec))
    weights = (4 * 4 * 2 * 2 + 4) * 4
    found = largest_input(network, weights + 3 * 4 * 33 * 33 * 4, lambda there: Budget(there).inference_parts(1).total)
    assert found.input.axes == (32, 32)


def test_a_larger_input_can_take_less_than_a_smaller_one(tmp_path):
    """With same padding and a stride of 2 an even size needs 1 zero in all, hence a padded copy; an odd one 1 + 1."""
    spec = tmp_path / "net.yaml"
    spec.write_text("input: [1, 9, 9]\nlayers:\n  - conv: {out: 1, kernel: 3, stride: 2, pad: same, bias: false}\n")

    def held(there):
        return Budget(there).inference_parts(1).total

    expected = {
        10: 4 * (9 + 10 * 10 + 11 * 11 + 5 * 5),
        12: 4 * (9 + 12 * 12 + 13 * 13 + 6 * 6),
        13: 4 * (9 + 13 * 13 + 7 * 7),
        14: 4 * (9 + 14 * 14 + 15 * 15 + 7 * 7),
        15: 4 * (9 + 15 * 15 + 8 * 8),
    }
    network = load(str(spec))
    assert {side: held(with_side(network, side)) for side in expected} == expected
    assert expected[13] < 1000 < expected[10]
    assert largest_input(network, 1000, held).input.axes == (13, 13)


@pytest.mark.parametrize("net", ["mobilenet_v1_slim_0.75", "squeezenet1_1"])
def test_the_largest_input_is_that_of_a_look_at_every_size(net):
    network, batch = load(net), 2

    def held(there):
        return Budget(there).inference_parts(batch).total

    budget = held(with_side(network, 150))
    found = largest_input(network, budget, held).input.axes[0]
    fits = [side for side in range(1, 260) if (there := at_side(network, side)) and held(there) <= budget]
    assert found == fits[-1] >= 150


def test_what_has_no_largest_input(tmp_path):
    spec = tmp_path / "net.yaml"
    for text, said in (
        ("input: [8]\nlayers: [relu]\n", "net has no spatial axes: its input 8 cannot be made larger"),
        ("input: [1, 8]\nlayers: [relu]\n", "an input of 1x1048576 still fits; larger ones are not tried"),
    ):
        spec.write_text(text)
        with pytest.raises(ArchcalcError) as error:
            largest_input(load(str(spec)), 2**60, lambda there: Budget(there).inference_parts(1).total)
        assert said in str(error.value)


def test_no_input_fits():
    assert largest_input(load("vgg16"), 10**6, lambda there: Budget(there).inference_parts(1).total) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adm"}, "unknown optimizer 'adm'; did you mean 'adam'?"),
        ({"dtype": "float23"}, "unknown dtype 'float23'; did you mean 'float32'?"),
        ({"checkpoint": "conv2_y"}, "unknown block 'conv2_y'; did you mean 'conv2_x'?"),
        ({"amp": True, "dtype": "float16"}, "mixed precision keeps its weights in float32"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ArchcalcError) as error:
        Budget(load("resnet18"), **options)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda b: b.inference.peak(-1), "batch: must be at least 1, got -1"),
        (lambda b: b.training.saved_bytes("3"), "batch: expected a whole number, got '3'"),
        (lambda b: b.training_parts(True), "batch: expected a whole number, got true"),
        (
            lambda b: b.largest_inference("24G"),
            "unknown unit 'G' in '24G'; known: B, KB, MB, GB, TB, KiB, MiB, GiB, TiB",
        ),
        (lambda b: b.largest_training(1.5), "expected a size in bytes or a text such as 24GiB, got 1.5"),
        (lambda b: b.largest_training(-1), "expected a size in bytes or a text such as 24GiB, got -1"),
    ],
)
def test_bad_batches_and_sizes(ask, message):
    with pytest.raises(ArchcalcError) as error:
        ask(Budget(load("lenet5")))
    assert message in str(error.value)


def test_sizes_are_bytes_or_texts():
    budget = Budget(load("lenet5"), overhead="1MiB")
    assert budget.overhead == 2**20
    assert budget.largest_training("1GB") == budget.largest_training(10**9) > 0


def test_arrays_have_no_budget():
    array = pytest.importorskip("numpy").array
    cases = [
        (lambda: load("vgg11").analyze(input=(3, array([64, 128]), 64)).memory(), "vgg11"),
        (lambda: load("wrn", depth=16, k=array([2, 4])).analyze().memory(), "wrn@depth=16,k=[2..4]"),
        (lambda: Budget(load("lenet5")).inference_parts(array([1, 2])), "batch"),
    ]
    for ask, name in cases:
        with pytest.raises(ArchcalcError) as error:
            ask()
        assert str(error.value) == f"{name}: memory needs single sizes, not arrays"


def test_a_dtype_without_gradients():
    with pytest.raises(ArchcalcError, match=r"^PyTorch cannot train in int8: it has gradients for float64, float32,"):
        _ = Budget(load("resnet18"), "int8").training


def test_weights_are_those_of_the_table():
    for net in ("lenet5", "googlenet_tv", "densenet_cifar_40_12", "convnext_tiny"):
        network = load(net)
        assert Budget(network).weights == 4 * network.analyze(training=True).totals.params


def test_every_network_of_the_zoo_has_a_budget():
    small = [net for net in networks() if not net.endswith(("1001", "1202"))]
    for net in small[::6]:
        budget = Budget(load(net))
        assert budget.largest_training(80 * 2**30) <= budget.largest_inference(80 * 2**30)
