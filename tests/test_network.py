"""The graph: layers appended, weights shared, and the same network at another input."""

import re

import numpy as np
import pytest

from archcalc import Network, analyze, load
from archcalc.errors import ArchcalcError, LayerError
from archcalc.layers import registry
from archcalc.sizes import Shape


def layer(type, **fields):
    return registry[type](**fields)


def says(text):
    return pytest.raises(LayerError, match=f"^{re.escape(text)}$")


def network():
    net = Network("net", Shape(3, (8, 8)))
    net.add("conv", layer("conv", out=4, kernel=3, pad=1))
    return net


def test_an_empty_network_is_its_input():
    net = Network("net", Shape(3, (8, 8)))
    assert (net.input, net.outputs, len(net.nodes)) == (Shape(3, (8, 8)), (0,), 1)
    assert repr(net) == "<Network net: 0 layers, input 3x8x8>"


def test_layers_follow_the_last_node_or_the_given_ones():
    net = network()
    assert net.add("relu", layer("relu")) == 2
    assert net.add("branch", layer("conv", out=5, kernel=1), [1]) == 3
    assert net.add("both", layer("concat"), [2, 3]) == 4
    assert [node.inputs for node in net.nodes] == [(), (0,), (1,), (1,), (2, 3)]
    assert net.nodes[4].shape == Shape(4 + 5, (8, 8))
    assert net.outputs == (4,)


def test_a_side_head_is_not_the_output():
    net = network()
    net.add("aux", layer("global_avg_pool"), side=True)
    assert net.outputs == (1,)


def test_a_layer_that_does_not_fit_is_not_added():
    net = network()
    with says("the kernel spans 9 but the padded input is only 8 + 0 + 0 = 8"):
        net.add("large", layer("conv", out=4, kernel=9))
    assert len(net.nodes) == 2


def test_only_joins_take_several_inputs():
    net = network()
    with says("relu takes one input, got 2"):
        net.add("relu", layer("relu"), [0, 1])


def test_weights_are_shared_between_layers_of_one_size():
    net = network()
    with says("cannot use the weights of conv: conv with 108 weights and 4 biases there, conv with 144 and 4 here"):
        net.add("again", layer("conv", out=4, kernel=3), shares=1)
    with says("cannot use the weights of conv: conv with 108 weights and 4 biases there, linear with 12 and 4 here"):
        net.add("again", layer("linear", out=4, axis="channels"), [0], shares=1)
    assert net.add("again", layer("conv", out=4, kernel=3, dilation=2), [0], shares=1) == 2
    assert net.add("once more", layer("conv", out=4, kernel=[3, 3]), [0], shares=1) == 3
    # one slope for all channels fits maps of any width
    prelu = net.add("prelu", layer("prelu", per_channel=False))
    assert net.add("wider", layer("prelu", per_channel=False), [0], shares=prelu) == 5


def test_the_same_network_at_another_input():
    net = network()
    net.add("pool", layer("max_pool", kernel=2, stride=2), scopes=("block",))
    net.add("again", layer("conv", out=4, kernel=3, pad=1), [0], shares=1)
    net.add("aux", layer("global_avg_pool"), [2], side=True)
    other = net.at(Shape(3, (20, 10)))
    assert [str(node.shape) for node in other.nodes] == ["3x20x10", "4x20x10", "4x10x5", "4x20x10", "4x1x1"]
    for a, b in zip(net.nodes, other.nodes, strict=True):
        assert (a.name, a.inputs, a.scopes, a.side, a.shares) == (b.name, b.inputs, b.scopes, b.side, b.shares)
    assert other.outputs == net.outputs == (2, 3)  # a side head alone reads the pooling
    assert str(net.nodes[0].shape) == "3x8x8"  # the first one stays as it was


def test_at_another_input_every_number_is_computed_anew():
    """Nothing is scaled: 8 to 16 pixels is not 4 times the work where padding and strides cut."""
    net = Network("net", Shape(3, (8, 8)))
    net.add("conv", layer("conv", out=1, kernel=3, stride=3, bias=False))
    # (8 - 3)//3 + 1 = 2 and (16 - 3)//3 + 1 = 5 positions a side
    assert (analyze(net).totals.macs, analyze(net, input=(3, 16, 16)).totals.macs) == (27 * 4, 27 * 25)


def test_node_repr_survives_arrays():
    net = Network("net", Shape(3, (np.array([8, 9]), 8)))
    net.add("conv", layer("conv", out=4, kernel=1))
    assert repr(net.nodes[1]) == "Node(1, 'conv', conv(kernel=1, out=4), inputs=(0,), shape=4x[8..9]x8)"


def test_an_array_belongs_into_a_spec_not_into_a_single_layer():
    # The proof that nothing wrapped around in int64 builds the network anew in float64, from its settings.
    with pytest.raises(LayerError, match="conv: arrays are parameters of a spec, not settings of a single layer"):
        Network("net", Shape(3, (8, 8))).add("conv", layer("conv", out=np.array([4, 5]), kernel=1))


def test_a_side_head_that_does_not_fit_another_input_is_left_out(tmp_path):
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "input: [3, 16, 16]\nlayers:\n  - conv: {out: 4, kernel: 3}\n"
        "  - side:\n      - conv: {out: 4, kernel: 7}\n        name: aux\n  - flatten\n  - linear: {out: 2}\n"
    )
    network = load(str(spec))
    assert network.analyze(training=True).totals.params == (4 * 27 + 4) + (4 * 4 * 49 + 4) + (4 * 14 * 14 * 2 + 2)
    small = network.analyze(input=(3, 8, 8))  # 6 x 6 after the first convolution, too small for 7 x 7
    assert small.totals.params == (4 * 27 + 4) + (4 * 6 * 6 * 2 + 2)
    assert small.side_rows == []
    with pytest.raises(ArchcalcError, match="net at input 3x8x8: a side head does not fit: aux: the kernel spans 7"):
        network.analyze(input=(3, 8, 8), training=True)


def test_a_spec_may_say_how_one_output_is_held(tmp_path):
    spec = tmp_path / "net.yaml"
    text = (
        "input: [3, 4, 4]\nparams: {held: new}\nlayers:\n  - conv: {out: 4, kernel: 1}\n  - relu:\n    storage: held\n"
        "  - batch_norm:\n    storage: in_place\n  - conv: {out: 4, kernel: 1}\n    storage: view\n"
    )
    spec.write_text(text)
    assert load(str(spec)).analyze().totals.values == 3 * 16 + 4 * 16 + 4 * 16  # input, conv, relu
    assert load(str(spec), held="in_place").analyze().totals.values == 3 * 16 + 4 * 16
    with pytest.raises(ArchcalcError, match="storage must be new, in_place, view, got 'odl'"):
        load(str(spec), held="odl").analyze()
    spec.write_text(text.replace("storage: view", "storage: veiw"))
    with pytest.raises(ArchcalcError, match="unknown name 'veiw'"):
        load(str(spec))


def test_an_input_is_compared_with_one_that_follows_from_arrays():
    given = load("swin_t", input=(3, 224, 224), resolution=np.array([224, 448]))
    assert given.at_own_input is False
    assert "224x224" in given.input_text


@pytest.mark.parametrize("net", ["lenet5", "INPUT 8x8x3 -> FC-10"])
def test_a_network_of_a_text_takes_no_layers(net):
    """It is made of its text again for another size, and would lose them."""
    network = load(net)
    with pytest.raises(ArchcalcError, match="its layers are those of its spec or pattern; write more there"):
        network.add("more", registry["relu"]())
    assert network.nodes[-1].name != "more"
