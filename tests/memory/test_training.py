"""What training keeps, and the peak over both passes, by hand; PyTorch itself stands beside it in tests/witness."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError, Network, load
from archcalc.layers import registry
from archcalc.memory.checkpoint import block_runs
from archcalc.memory.training import training
from archcalc.sizes import Shape

from .test_lifetime import CONV, MAP, RELU, network


def kept(schedule, batch=1):
    """Layer, bytes and reason of everything that is kept, once."""
    nodes = schedule.network.nodes
    return [(nodes[k.node].name, k.storage.bytes(batch), k.why) for k in schedule.saved_once()]


@pytest.mark.parametrize(
    ("net", "size"),
    [
        # What torch.autograd.graph.saved_tensors_hooks saw of torchvision's models, the image excluded (torch 2.14).
        ("alexnet_tv", 3_139_072),
        ("resnet50_tv", 85_519_872),
    ],
)
def test_known_sizes(net, size):
    assert training(load(net)).saved_bytes() == size


def test_torchvisions_vgg16_keeps_the_input_of_a_pooling_that_the_paper_has_not():
    """torchvision pools 7x7 to 7x7 before the classifier: 512*7*7 floats more, and 72,753,152 bytes in all."""
    paper = load("vgg16")
    theirs = Network("vgg16_tv", paper.input)
    place = {0: 0}
    for node in paper.nodes[1:]:
        if node.layer.type == "flatten":
            place[node.inputs[0]] = theirs.add("avgpool", registry["adaptive_avg_pool"](out=7))
        place[node.index] = theirs.add(node.name, node.layer, [place[i] for i in node.inputs])
    assert training(theirs).saved_bytes() == 72_753_152 == training(paper).saved_bytes() + 512 * 7 * 7 * 4


def test_what_is_kept_and_why():
    pool, flatten = ("max_pool", {"kernel": 2, "stride": 2}), ("flatten", {})
    net = network(CONV, ("batch_norm", {}), RELU, pool, flatten, ("linear", {"out": 10}), ("dropout", {}))
    assert kept(training(net)) == [
        ("n2", MAP, "its input"),
        ("n2", 16, "the mean and deviation of each channel"),
        ("n2", 16, "the mean and deviation of each channel"),
        ("n3", MAP, "its output"),  # which the pooling keeps too, as its input
        ("n4", 2 * (MAP // 4), "the indices of its maxima (int64)"),
        ("n6", MAP // 4, "its input"),
        ("n7", 40, "its mask"),
    ]
    assert training(net).saved_bytes(8) == 8 * (2 * MAP + 3 * (MAP // 4) + 40) + 32


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (("add", {}, (2, 2)), 0),
        (("concat", {}, (2, 2)), 0),
        (("multiply", {}, (2, 2)), MAP),
        (("global_avg_pool", {}), 0),
        (("upsample", {"scale": 2}), 0),
        (("avg_pool", {"kernel": 2, "stride": 2}), MAP),
        (("gelu", {}), MAP),
        (("silu", {}), MAP),
        (("softmax", {}), MAP),
        (("layer_norm", {"axis": "channels"}), MAP + 2 * 8 * 8 * 4),
        (("lrn", {"size": 3}), MAP + (4 + 2) * 8 * 8 * 4 + 2 * MAP),
        (("drop_path", {"p": 0.5}), 4),
        (("dropout", {"p": 0}), 0),
    ],
)
def test_what_one_layer_keeps(layer, expected):
    plain = network(CONV, CONV)
    assert training(network(CONV, CONV, layer)).saved_bytes() - training(plain).saved_bytes() == expected


def test_a_tensor_that_nothing_keeps_is_let_go():
    # Behind a sum of two convolutions only the sum is left: it is the input of the last convolution.
    net = network(CONV, CONV, CONV, ("add", {}, (2, 3)), CONV)
    assert kept(training(net)) == [("n2", MAP, "its input"), ("n3", MAP, "its input"), ("n5", MAP, "its input")]


def test_the_peak_of_a_chain_by_hand():
    # conv, relu over it, conv. At the end of the forward pass: relu's output and the network's. Backward of the second
    # conv: both, the output's gradient, the input's and 4*4*9 + 4 weights' of 4 bytes. Then relu's own gradient in
    # place of the output's; its backward pass makes a map beside that of its output.
    weights = 4 * (4 * 4 * 9 + 4)
    schedule = training(network(CONV, RELU, CONV))
    backward = [
        live for moment, live in zip(schedule.moments, schedule.live(), strict=True) if moment.phase == "backward"
    ]
    assert backward == [3 * MAP, 4 * MAP + weights, 4 * MAP + weights, 2 * MAP + 2 * weights]
    assert schedule.peak() == 4 * MAP + weights


def test_the_image_has_no_gradient():
    names = [storage.name for storage in training(network(CONV, RELU)).storages]
    assert "n2: gradient of its input" in names
    assert "n1: gradient of its input" not in names


def test_gradients_of_a_shared_layer_are_added():
    net = Network("net", Shape(4, (8, 8)))
    conv = registry["conv"](out=4, kernel=3, pad=1)
    first = net.add("a", conv)
    net.add("b", conv, shares=first)
    stays = [s for s in training(net).storages if s.role == "weight gradient"]
    assert [s.fixed for s in stays] == [4 * 4 * 4 * 9, 4 * 4]


def test_sums_of_gradients_in_place_or_not():
    net = network(CONV, CONV, CONV, CONV, ("add", {}, (2, 3, 4)))
    three = network(
        CONV, ("conv", {"out": 4, "kernel": 1}, (1,)), ("conv", {"out": 4, "kernel": 1}, (1,)), ("add", {}, (2, 3))
    )
    assert training(net).peak() <= training(net, sums_in_place=False).peak()
    sums = [moment.operator for moment in training(three, sums_in_place=False).moments if moment.phase == "backward"]
    assert sums.count("add") == 1
    assert "add" not in [moment.operator for moment in training(three).moments if moment.phase == "backward"]


def test_a_sum_of_a_tensor_and_itself_has_a_gradient_of_its_own():
    """Both summands have one gradient, so something else refers to it when it is added to itself."""
    net = network(CONV, ("add", {}, (1, 1)))
    assert "add" in [moment.operator for moment in training(net).moments if moment.phase == "backward"]


def test_side_heads_run_in_training():
    schedule = training(load("googlenet_tv"))
    assert any(schedule.network.nodes[moment.node].side for moment in schedule.moments)


def test_mixed_precision_narrows_and_copies():
    # The convolutions get the image and each other's outputs in bfloat16: the image's copy is made, so it counts;
    # then relu's output, and the bfloat16 copies of both weights of 4*4*9 numbers.
    schedule = training(network(CONV, RELU, CONV), amp=True)
    assert schedule.saved_bytes() == 2 * (MAP // 2) + 2 * 2 * 4 * 4 * 9
    copies = "its weights in half precision"
    assert [why for *_, why in kept(schedule)] == ["its input", copies, "its output", copies]


def test_checkpoint_keeps_what_the_block_takes():
    plain, less = training(load("resnet_cifar20")), training(load("resnet_cifar20"), checkpoint="main")
    assert less.saved_bytes() < plain.saved_bytes()
    assert less.peak() < plain.peak()
    assert {node.layer.type for node in less.again} == {"conv", "batch_norm", "relu"}
    assert not [k for k in less.saved if "main" in k.storage.name]  # but what the blocks take, nothing from inside them


def test_checkpoint_of_two_uses_with_one_label(tmp_path):
    """Each keeps what it takes: the first the image, the second the map that the conv between them made."""
    spec = tmp_path / "twice.yaml"
    spec.write_text(
        "input: [4, 8, 8]\nlayers:\n  - layers: [{conv: {out: 4, kernel: 3, pad: 1}}]\n    label: a\n"
        "  - conv: {out: 4, kernel: 3, pad: 1}\n  - layers: [relu]\n    label: a\n"
    )
    network = load(str(spec))
    assert [[node.name for node in run] for run in block_runs(network, network.running(), "a")] == [["conv1"], ["relu"]]
    assert training(network, checkpoint="a").saved_bytes() == 2 * 4 * 8 * 8 * 4  # conv2's input, relu's input


@pytest.mark.parametrize(
    ("net", "block", "uses"),
    [
        ("efficientnet_b0", "squeeze_excite", 16),
        ("fractalnet20", "unit", 5 * (1 + 2 + 4)),
        ("resnet18", "conv3_1", 1),
        ("resnet18", "conv3_1, conv4_x", 2),
    ],
)
def test_a_block_by_its_name_in_the_spec_wherever_it_is_used(net, block, uses):
    """EfficientNet-B0 has 16 blocks with a gate each; FractalNet-20 5 of 3 columns with 1, 2 and 4 convolutions."""
    network = load(net)
    assert len(block_runs(network, network.running(), block)) == uses


def test_checkpoint_of_a_block_without_layers():
    """A block that is named in the spec, and whose layers are left out here."""
    net = network(CONV)
    net.blocks["unit"] = "unit"
    with pytest.raises(ArchcalcError, match=r"^net: the block 'unit' has no layer at this input$"):
        training(net, checkpoint="unit")


def test_checkpoint_of_an_unknown_block():
    with pytest.raises(ArchcalcError, match=r"^resnet18: unknown block 'conv2x'; did you mean 'conv2_x'\?$"):
        training(load("resnet18"), checkpoint="conv3_x,conv2x")
