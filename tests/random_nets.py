"""Random small networks, described by plain data so that a test can follow them by itself.

A network is a list of steps; a step is (layer type, settings) or (join, [branch, ...]), a branch being a list
of steps and the empty one the identity.
"""

from hypothesis import strategies as st

from archcalc import Network
from archcalc.layers import registry
from archcalc.sizes import Shape

pair = lambda strategy: st.tuples(strategy, strategy).map(list)  # noqa: E731
small = pair(st.integers(1, 3))
pads = st.one_of(st.just("same"), st.integers(0, 2), pair(pair(st.integers(0, 2))))

convs = st.fixed_dictionaries(
    {
        "out": st.sampled_from([2, 4]),
        "kernel": small,
        "stride": small,
        "pad": pads,
        "dilation": small,
        "bias": st.booleans(),
    }
)
pools = st.fixed_dictionaries(
    {
        "kernel": pair(st.integers(2, 3)),
        "stride": small,
        "pad": st.integers(0, 1),
        "ceil_mode": st.sampled_from([False, True, "caffe"]),
    }
)
exact_steps = st.one_of(
    st.tuples(st.just("conv"), convs),
    st.tuples(st.sampled_from(["max_pool", "avg_pool"]), pools),
    st.sampled_from(
        [
            ("relu", {}),
            ("batch_norm", {}),
            ("identity", {}),
            ("dropout", {}),
            ("global_avg_pool", {}),
            ("global_max_pool", {}),
            ("reduce", {"by": "max", "axis": "channels"}),
            ("reduce", {"by": "sum", "axis": "height"}),
        ]
    ),
)
bounded_steps = st.one_of(
    st.tuples(
        st.sampled_from(["adaptive_avg_pool", "adaptive_max_pool"]),
        st.fixed_dictionaries({"out": pair(st.integers(1, 5))}),
    ),
    st.tuples(st.just("upsample"), st.fixed_dictionaries({"scale": pair(st.integers(1, 3))})),
    st.tuples(
        st.just("upsample"),
        st.fixed_dictionaries({"size": pair(st.integers(1, 7)), "mode": st.sampled_from(["nearest", "bilinear"])}),
    ),
    st.tuples(
        st.just("upsample"),
        st.fixed_dictionaries(
            {
                "size": pair(st.integers(1, 7)),
                "mode": st.sampled_from(["bilinear", "bicubic"]),
                "align_corners": st.booleans(),
            }
        ),
    ),
    st.tuples(
        st.just("conv_transpose"),
        st.fixed_dictionaries(
            {
                "out": st.sampled_from([2, 4]),
                "kernel": small,
                "stride": small,
                "pad": st.integers(0, 1),
                "dilation": small,
            }
        ),
    ),
    st.tuples(
        st.just("unfold"),
        st.fixed_dictionaries({"kernel": small, "stride": small, "pad": st.integers(0, 1), "dilation": small}),
    ),
    st.tuples(st.just("fold"), st.fixed_dictionaries({"kernel": st.sampled_from([1, 2, [1, 2]]), "stride": small})),
)
steps = st.one_of(exact_steps, exact_steps, bounded_steps)


@st.composite
def _kept(draw):
    """A branch that keeps the size: convolutions with as many zeros as they need, and pointwise layers."""
    branch = []
    for _ in range(draw(st.integers(0, 2))):
        half = draw(pair(st.integers(0, 2)))
        branch.append(("conv", {"out": 4, "kernel": [2 * h + 1 for h in half], "pad": [[h, h] for h in half]}))
    return branch


@st.composite
def _strided(draw):
    """Two branches with the same stride and different kernels, padded alike by ``same``."""
    stride = draw(small)
    return [[("conv", {"out": 4, "kernel": draw(small), "stride": stride, "pad": "same"})] for _ in range(2)]


@st.composite
def _hourglass(draw):
    """A branch that goes down and up again, beside one that does not: steps of different denominators."""
    size = draw(st.integers(1, 2))
    down = [("conv", {"out": 4, "kernel": size, "stride": size}), ("upsample", {"scale": size})]
    return [down, draw(_kept())]


gate = [("global_avg_pool", {}), ("conv", {"out": 4, "kernel": 1}), ("sigmoid", {})]
branches = st.one_of(
    st.tuples(
        st.sampled_from(["concat", "add", "mean", "subtract", "maximum"]), st.lists(_kept(), min_size=2, max_size=3)
    ),
    st.tuples(st.sampled_from(["concat", "add"]), st.one_of(_strided(), _hourglass())),
    _kept().map(lambda branch: ("multiply", [branch, gate])),
)


@st.composite
def networks(draw, step=steps, most=5):
    """A list of steps; a join is preceded by a convolution that gives it 4 channels."""
    net = []
    for _ in range(draw(st.integers(1, most))):
        if draw(st.integers(0, 2)) == 0:
            net += [("conv", {"out": 4, "kernel": 1}), draw(branches)]
        else:
            net.append(draw(step))
    return net


exact_networks = networks(exact_steps)
shapes = st.builds(Shape, st.integers(1, 3), st.tuples(st.integers(1, 12), st.integers(1, 12)))


def build(net, input):
    """The network; LayerError when a layer does not fit."""
    network = Network("random", input)
    _extend(network, net, 0)
    return network


def _extend(network, net, at):
    for kind, what in net:
        layer = registry[kind]
        if layer.joins:
            ends = [_extend(network, branch, at) for branch in what]
            at = network.add(f"n{len(network.nodes)}", layer(), ends)
        else:
            at = network.add(f"n{len(network.nodes)}", layer(**what), [at])
    return at
