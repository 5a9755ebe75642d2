"""Random networks over the whole spec language, held against PyTorch: the same numbers, and the same refusals.

``pytest tests/witness/test_random_networks.py --hypothesis-profile=thorough`` draws 10,000 networks instead of a
few, demands that every layer type was among them, and writes reports/random-networks.md.
"""

from __future__ import annotations

import platform
import re
from collections import Counter, defaultdict
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from hypothesis import HealthCheck, Phase, find, given, settings
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from archcalc import Network, analyze
from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.layers.settings import Choice, Flag
from archcalc.pytorch.record import records
from archcalc.witness import build
from archcalc.witness.built import Built, instance

from . import plain
from .networks import TYPES, Drawn, Layer, Shared, layers, networks
from .refusals import DIFFERENCES, OURS, SHARING, THEIRS, difference, table

ROOT = Path(__file__).parents[2]
THOROUGH = settings.get_current_profile_name() == "thorough"
SHORT = settings(
    max_examples=120, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


# Numbers: what one run of the built module shows, beside what the engine says.


class Everything(nn.Module):
    """A model that returns what every layer makes, in their order; fvcore forgets what leads to no output."""

    def __init__(self, model: Built) -> None:
        super().__init__()
        self.model = model
        self.made: dict[nn.Module, list[torch.Tensor]] = defaultdict(list)
        for module in {module for _, module in model.layers}:
            module.register_forward_hook(self.note)

    def note(self, module: nn.Module, inputs: object, out: object) -> None:
        self.made[module].append(out[0] if isinstance(out, tuple) else out)  # a pooling with its indices

    def forward(self, *images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.made.clear()
        self.model(*images)
        return tuple(self.made[module].pop(0) for _, module in self.model.layers)


def measured(network: Network) -> dict[str, object]:
    """Shapes in the order of the layers, parameters and buffers of every module, and its operations by both counters."""
    model = build(network).eval()
    model.training = True  # side heads run, and every layer as at inference
    everything = Everything(model)
    names = {module: name for name, module in everything.named_modules()}
    images = tuple(torch.ones(plain.BATCH, x.channels, *x.axes) for x in network.inputs.values())
    # FlopCounterMode has no rule for the fused attention of the CPU
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        made = everything(*images)
    flops = {at.removeprefix("Everything."): sum(counts.values()) for at, counts in counter.get_flop_counts().items()}
    fvcore = FlopCountAnalysis(everything, images).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return {
        "shapes": [tuple(out.shape) for out in made],
        "params": [owned(module) for _, module in model.layers],
        "all params": sum(p.numel() for p in model.parameters()),
        "FlopCounterMode": {names[module]: flops.get(names[module], 0) for _, module in model.layers},
        "FlopCounterMode in all": flops.get("Global", 0),
        "fvcore": {names[module]: fvcore.by_module()[names[module]] for _, module in model.layers},
        "fvcore in all": fvcore.total(),
    }


def owned(module: nn.Module) -> tuple[int, int, int]:
    """Weights, biases and buffers; whole numbers (batches counted, an index of a bias table) are no statistics."""
    sizes = Counter()
    for name, p in module.named_parameters():
        sizes["bias" if name.endswith("bias") else "weight"] += p.numel()
    buffers = sum(b.numel() for b in module.buffers() if b.is_floating_point())
    return sizes["weight"], sizes["bias"], buffers


def claimed(network: Network) -> dict[str, object]:
    """The same from the engine; what a module does that several layers use is added up."""
    model = build(network, "meta")
    names, first = {module: f"model.{name}" for name, module in model.named_modules()}, len(network.inputs)
    ours = analyze(network, batch=plain.BATCH, training=True)
    theirs = analyze(network, batch=plain.BATCH, training=True, convention="fvcore")
    macs, fvcore = Counter(), Counter()
    for (_, module), row, counted in zip(model.layers, ours.rows[first:], theirs.rows[first:], strict=True):
        macs[names[module]] += 2 * row.work.mac
        fvcore[names[module]] += counted.macs or 0
    return {
        "shapes": [(plain.BATCH * row.node.times, row.shape.channels, *row.shape.axes) for row in ours.rows[first:]],
        "params": [tuple(node.layer.params(*network.input_shapes(node))) for node, _ in model.layers],
        "all params": ours.totals.params,
        "FlopCounterMode": dict(macs),
        "FlopCounterMode in all": 2 * ours.totals.work.mac,
        "fvcore": dict(fvcore),
        "fvcore in all": theirs.totals.macs,
    }


# Refusals: the same layer on the same shapes, as a user of PyTorch writes it.


def theirs(layer: Layer) -> object:
    """The shape that PyTorch makes, or why there is none."""
    try:
        return plain.made(*layer)
    except plain.NoSuchLayerError:
        return "PyTorch has no such layer"
    except Exception as error:  # PyTorch refuses with whatever error its code runs into
        return f"PyTorch refuses: {error}"


def shares(shared: Shared) -> bool:
    """Whether PyTorch loads the weights of the owner into the user."""
    owner, user = (
        instance(records[type].statements(made, inputs, made.shape(*inputs)).layer)
        for type, given, inputs in shared
        for made in [registry[type](**given)]
    )
    state = {re.sub(r"^\d+\.", "", name): value for name, value in owner.state_dict().items()}
    try:
        user.load_state_dict(state)
    except RuntimeError:
        return False
    return True


FEATURES = ("trained on a block or group", "regions on a named block", "named sizes", "a convolution over four axes")


def features(drawn: Drawn) -> set[str]:
    """What a network has beside the settings of its layers."""
    steps = [step for step in drawn.spec["layers"] if isinstance(step, dict)]
    blocks = drawn.spec.get("blocks", {})
    patterns = [node.layer.pattern for node in drawn.network.nodes if node.layer.type == "rearrange"]
    convs = [node for node in drawn.network.nodes if node.layer.type == "conv"]
    found = (
        any("trained" in step and ("layers" in step or step.keys() & blocks) for step in steps),
        any("regions" in step and step.keys() & blocks for step in steps),
        any("=" in pattern for pattern in patterns),
        any(len(node.shape.axes) > 3 for node in convs),
    )
    return {feature for feature, there in zip(FEATURES, found, strict=True) if there}


class Census:
    """What was drawn, and how it came out."""

    def __init__(self) -> None:
        self.networks = self.layers = self.shared = self.side = self.inputs = self.outputs = 0
        self.types: Counter[str] = Counter()
        self.features: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.differences: Counter[str] = Counter()

    def take(self, drawn: Drawn) -> None:
        net = drawn.network
        assert measured(net) == claimed(net)
        for node in net.after_inputs:
            self.accepted(Layer(node.layer.type, node.layer.settings, tuple(net.input_shapes(node))), node.shape)
        for layer in drawn.refused:
            self.refusal(layer)
        for shared in drawn.unshared:
            if shares(shared):
                connections = [[layer.settings.get(key) for key in ("groups", "table")] for layer in shared]
                assert connections[0] != connections[1], shared
                self.differences[SHARING.what] += 1
            else:
                self.refused["PyTorch refuses the weights of another layer"] += 1
        self.networks += 1
        self.layers += len(net.after_inputs)
        self.shared += sum(node.shares is not None for node in net.nodes)
        self.side += sum(node.side for node in net.nodes)
        self.types.update(node.layer.type for node in net.after_inputs)
        self.features.update(features(drawn))
        self.inputs += len(net.inputs) > 1
        self.outputs += len(net.outputs) > 1

    def accepted(self, layer: Layer, shape: object) -> None:
        found = theirs(layer)
        if found != shape:
            known = difference(layer, THEIRS, found)
            assert known, (layer, shape, found)
            self.differences[known.what] += 1

    def refusal(self, layer: Layer) -> None:
        found = theirs(layer)
        if isinstance(found, str):
            self.refused[found.partition(":")[0]] += 1
        else:
            known = difference(layer, OURS, found)
            assert known, (layer, found)
            self.differences[known.what] += 1

    def report(self) -> str:
        tools = {name: version(name) for name in ("torch", "torchvision", "fvcore", "hypothesis")}
        lines = [
            "# Random networks",
            "",
            f"{self.networks:,} networks of {self.layers:,} layers, drawn over the whole spec language: every layer's",
            "output shape, weights, biases and buffers, its operations as torch's FlopCounterMode and as fvcore count",
            "them, and the sums over the network equal the engine's numbers exactly.",
            "",
            f"{self.shared:,} layers use the weights of another, {self.side:,} belong to side heads. {self.inputs:,} networks have",
            f"several inputs, {self.outputs:,} several outputs.",
            "",
            "| layer type | layers |",
            "|---|---:|",
            *(f"| {name} | {count:,} |" for name, count in sorted(self.types.items())),
            "",
            f"{sum(self.refused.values()):,} layers were refused by both:",
            "",
            "| archcalc refuses, and | layers |",
            "|---|---:|",
            *(f"| {what} | {count:,} |" for what, count in self.refused.most_common()),
            "",
            f"{sum(self.differences.values()):,} were refused by one alone, each by a difference that",
            "[docs/verification.md](../docs/verification.md) gives the reason of:",
            "",
            "| what | refused by | layers |",
            "|---|---|---:|",
            *(f"| {d.what} | {d.refused_by} | {self.differences[d.what]:,} |" for d in DIFFERENCES),
            f"| {SHARING.what} | {OURS} | {self.differences[SHARING.what]:,} |",
            "",
            f"Python {platform.python_version()}, {', '.join(f'{name} {number}' for name, number in tools.items())}.",
            "",
            "    pytest tests/witness/test_random_networks.py --hypothesis-profile=thorough",
            "",
        ]
        return "\n".join(lines)


@pytest.mark.filterwarnings("ignore")
def test_random_networks_are_what_pytorch_makes_of_them():
    census = Census()

    @settings(settings.default if THOROUGH else SHORT)
    @given(networks())
    def take(drawn: Drawn) -> None:
        census.take(drawn)

    torch.set_num_threads(1)
    take()
    if THOROUGH:
        assert set(census.types) == set(TYPES)
        assert set(census.features) == set(FEATURES)
        (ROOT / "reports" / "random-networks.md").write_text(census.report(), encoding="utf-8")


# Every setting of every layer type is among what the random networks draw.


def values_of(type: str) -> set[tuple[str, object]]:
    """What has to be drawn of each setting: all words and flags but the default, else any value that is not the default."""
    found = set[tuple[str, object]]()
    for name, field in registry[type].fields.items():
        some = (
            field.choices if isinstance(field, Choice) else (True, False) if isinstance(field, Flag) else ("a value",)
        )
        found |= {(name, value) for value in some if value != field.default}
    return found


def said(layer: Layer) -> set[tuple[str, object]]:
    """What a layer says of its settings, in the same form."""
    fields = registry[layer.type].fields
    return {
        (name, value if isinstance(fields[name], (Choice, Flag)) and not isinstance(value, list) else "a value")
        for name, value in layer.settings.items()
        if value != fields[name].default
    }


@pytest.mark.parametrize("type", TYPES)
def test_every_setting_is_drawn(type: str) -> None:
    left = values_of(type)
    while left:
        one = min(left, key=str)
        drawn = find(
            layers(type),
            lambda drawn, one=one: any(one in said(layer) for layer in drawn if layer.type == type),
            settings=settings(SHORT, max_examples=3000, phases=[Phase.generate]),
        )
        for layer in drawn:
            if layer.type == type:
                left -= said(layer)


# The differences in refusing, one by one, and their table in the documentation.


@pytest.mark.parametrize("known", DIFFERENCES, ids=lambda d: d.what)
def test_one_refuses_and_the_other_does_not(known):
    layer = known.example
    made = theirs(layer)
    made_here = registry[layer.type]
    if known.refused_by == OURS:
        with pytest.raises(LayerError):
            made_here(**layer.settings).shape(*layer.inputs)
        assert not isinstance(made, str)
    else:
        shape = made_here(**layer.settings).shape(*layer.inputs)
        assert made != shape
        assert measured(one_layer(layer))["shapes"][-1] == (plain.BATCH, shape.channels, *shape.axes)
    assert difference(layer, known.refused_by, made) is known


def one_layer(layer: Layer) -> Network:
    """A network that brings its input to every shape that the layer takes, and then has the layer."""
    first = layer.inputs[0]
    net = Network("one_layer", first)
    made = registry[layer.type](**layer.settings)
    ends = [0]
    for x in layer.inputs[1:]:
        pooled = net.add("pool", registry["global_avg_pool"](), [0])
        ends.append(pooled if x.axes else net.add("flatten", registry["flatten"](), [pooled]))
    net.add("layer", made, ends)
    return net


def test_weights_that_pytorch_would_share():
    owner, user = SHARING.example
    net = Network("sharing", owner.inputs[0])
    first = net.add("owner", registry[owner.type](**owner.settings), [0])
    with pytest.raises(LayerError, match="groups 1 there, 2 here"):
        net.add("user", registry[user.type](**user.settings), [first], shares=first)
    assert shares(SHARING.example)


def test_the_documentation_has_every_difference(overwrite):
    page = ROOT / "docs" / "verification.md"
    text = page.read_text(encoding="utf-8")
    before, head, rest = text.partition("| what | refused by | why |\n")
    _, end, after = rest.partition("\n\n")
    if overwrite:
        page.write_text(before + table() + "\n" + (end and end[1:]) + after, encoding="utf-8")
    else:
        assert (head + rest.partition("\n\n")[0]).rstrip("\n") == table()
