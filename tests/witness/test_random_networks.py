"""Random networks over the whole spec language, held against PyTorch: the same figures, and the same refusals.

``pytest tests/witness/test_random_networks.py --hypothesis-profile=thorough`` draws 10,000 networks instead of a
few, demands that every layer type was among them, and writes reports/random-networks.md. The networks are drawn in
parts. A part that is done is kept in build/random-networks, so that a run that was ended goes on where it was.
"""

from __future__ import annotations

from random import Random

import pytest
import torch
from hypothesis import HealthCheck, given, settings

from archcalc import Network
from archcalc.errors import LayerError
from archcalc.layers import registry
from archcalc.layers.settings import Choice, Flag

from . import plain
from .against_pytorch import measured
from .census import FEATURES, ROOT, Census, commit, shares, theirs
from .networks import TYPES, Drawn, Layer, networks, thrown, thrown_layers
from .refusals import DIFFERENCES, OURS, SHARING, difference, table

COMMAND = "pytest tests/witness/test_random_networks.py --hypothesis-profile=thorough"
THOROUGH = settings.get_current_profile_name() == "thorough"
SHORT = settings(
    max_examples=120, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
NETWORKS, PARTS = 10_000, 40
DRAWS = 3000
"""Layers among which each setting has to be."""


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(THOROUGH, reason="10,000 networks are drawn instead")
def test_random_networks_are_what_pytorch_makes_of_them():
    @SHORT
    @given(networks())
    def take(drawn: Drawn) -> None:
        assert Census().take(drawn) == []

    take()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not THOROUGH, reason="--hypothesis-profile=thorough draws 10,000 networks")
@pytest.mark.parametrize("part", range(PARTS) if THOROUGH else [0])
def test_a_part_of_10_000(part):
    census, state = Census(), commit()
    path = ROOT / "build" / "random-networks" / state / f"{part}.json"
    if path.exists():
        pytest.skip("done before")

    random = Random(part)
    while census.totals["networks"] < NETWORKS // PARTS:
        census.take(thrown(random))
    census.states[state] = NETWORKS // PARTS
    census.save(path)


@pytest.mark.skipif(not THOROUGH, reason="--hypothesis-profile=thorough draws 10,000 networks")
def test_the_report_of_10_000():
    census = Census()
    for path in sorted((ROOT / "build" / "random-networks" / commit()).glob("*.json")):
        census.add(path)
    assert census.totals["networks"] == NETWORKS
    (ROOT / "reports" / "random-networks.md").write_text(census.report(COMMAND), encoding="utf-8")
    assert set(census.types) == set(TYPES)
    assert set(census.features) == set(FEATURES)
    assert census.disagreements == []


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
    left, random = values_of(type), Random(type)
    for _ in range(DRAWS):
        for layer in thrown_layers(random, type):
            if layer.type == type:
                left -= said(layer)
        if not left:
            break
    assert left == set()


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
