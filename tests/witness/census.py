"""What random networks were drawn, and how each comes out: a run in parts, each of which is kept in a file."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from pathlib import Path

from archcalc.layers import registry
from archcalc.pytorch.record import records
from archcalc.witness.built import instance

from . import plain
from .against_pytorch import COMPARISONS
from .networks import TYPES, Drawn, Layer, Shared
from .refusals import DIFFERENCES, OURS, SHARING, THEIRS, difference

ROOT = Path(__file__).parents[2]


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


@dataclass
class Census:
    """What was drawn, and how it came out.

    specs: a short digest of each network's spec, so that networks drawn twice are known. seen: what was compared, by
    name. states: the networks by the commit that ran them. disagreements: a spec, the comparison, and what it says.
    """

    totals: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    differences: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    specs: set[str] = field(default_factory=set)
    disagreements: list[tuple[str, str, str]] = field(default_factory=list)

    def take(self, drawn: Drawn) -> list[tuple[str, str]]:
        """Compare a network; every figure that differs, as the name of a comparison and a text."""
        text, found = json.dumps(drawn.spec), list[tuple[str, str]]()
        if digest(text) in self.specs:
            return found
        self.specs.add(digest(text))
        net = drawn.network
        for name, compare in COMPARISONS.items():
            try:
                found += [(name, said) for said in compare(net, self.seen)]
            except Exception as error:  # an error of the engine, the witness or PyTorch is a disagreement, too
                found.append((name, f"{type(error).__name__}: {error}"))
        found += [("refusals", said) for said in self._refusals(drawn)]
        self.totals.update(
            {
                "networks": 1,
                "layers": len(net.after_inputs),
                "shared": sum(node.shares is not None for node in net.nodes),
                "side": sum(node.side for node in net.nodes),
                "inputs": len(net.inputs) > 1,
                "outputs": len(net.outputs) > 1,
                "regions": any(node.times > 1 for node in net.nodes),
                "frozen": any(not node.trained for node in net.nodes),
            }
        )
        self.types.update(node.layer.type for node in net.after_inputs)
        self.features.update(features(drawn))
        self.disagreements += [(text, name, said) for name, said in found]
        return found

    def _refusals(self, drawn: Drawn) -> list[str]:
        """Layers that just one of the two refuses, for no reason that is known."""
        net, found = drawn.network, list[str]()
        for node in net.after_inputs:
            layer = Layer(node.layer.type, node.layer.settings, tuple(net.input_shapes(node)))
            found += self._alone(layer, THEIRS, node.shape)
        for layer in drawn.refused:
            found += self._alone(layer, OURS)
        for shared in drawn.unshared:
            connections = [[layer.settings.get(key) for key in ("groups", "table")] for layer in shared]
            if not shares(shared):
                self.refused["PyTorch refuses the weights of another layer"] += 1
            elif connections[0] != connections[1]:
                self.differences[SHARING.what] += 1
            else:
                found.append(f"{shared}: PyTorch loads the weights")
        return found

    def _alone(self, layer: Layer, refused_by: str, shape: object = None) -> list[str]:
        """A layer that PyTorch or archcalc refuses alone; ``shape``: what archcalc makes of it."""
        made = theirs(layer)
        if refused_by == THEIRS and made == shape:
            return []
        if refused_by == OURS and isinstance(made, str):
            self.refused[made.partition(":")[0]] += 1
            return []
        known = difference(layer, refused_by, made)
        if known is None:
            return [f"{layer}: {shape or 'refused'} here, {made} in PyTorch"]
        self.differences[known.what] += 1
        return []

    # A file.

    def save(self, path: Path) -> None:
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**data, "specs": sorted(self.specs)}), encoding="utf-8")

    def add(self, path: Path) -> None:
        """Add what a file has."""
        data = json.loads(path.read_text(encoding="utf-8"))
        for one in fields(self):
            mine = getattr(self, one.name)
            if isinstance(mine, list):
                mine += [tuple(row) for row in data[one.name]]
            else:
                mine.update(data[one.name])

    def report(self, command: str) -> str:
        tools = {name: version(name) for name in ("torch", "torchvision", "fvcore", "hypothesis")}
        networks, several = self.totals["networks"], self.totals
        return "\n".join(
            [
                "# Random networks",
                "",
                f"{networks:,} networks of {several['layers']:,} layers, drawn over the whole spec language ({len(self.specs):,} of",
                "them differ from one another), in parts of 250 with a seed each. Everything that archcalc says of each network is",
                "compared with what PyTorch shows of the module that is built from it.",
                *self._again(),
                "",
                *self._compared(),
                "",
                *self._disagreements(),
                "",
                f"{several['inputs']:,} networks have several inputs, {several['outputs']:,} several outputs, {several['regions']:,} layers for regions,",
                f"{several['frozen']:,} frozen weights. {several['shared']:,} layers use the weights of another, {several['side']:,} belong to side heads.",
                "",
                "| layer type | layers |",
                "|---|---:|",
                *(f"| {name} | {count:,} |" for name, count in sorted(self.types.items())),
                *(f"| {name} | 0 |" for name in TYPES if name not in self.types),
                "",
                "## Refusals",
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
                f"    {command}",
                "",
            ]
        )

    def _again(self) -> list[str]:
        """How many networks were compared a second time."""
        if not self.totals["again"]:
            return []
        return [
            "",
            f"The run found faults, of which some were mended afterwards. The {self.totals['again']:,} networks in which a figure",
            "differed, or with a layer that a mended fault concerns, were compared again with the mended code. A layer type with",
            "0 layers in the table below is newer than the run.",
        ]

    def _compared(self) -> list[str]:
        """The table of what was compared."""
        networks, layers, seen = f"{self.totals['networks']:,} networks", f"{self.totals['layers']:,} layers", self.seen
        bounds = seen["fields"] - seen["exact fields"]
        operators = sorted(name for name in seen if name.startswith("fvcore's "))
        rows = [
            ("output shapes; weights, biases and buffers", "the built module, layer by layer", layers),
            (
                "multiply-adds, by layer, by kind of operator and in all",
                "`FlopCounterMode` on the meta device",
                f"{seen['multiply-adds']:,} networks with multiply-adds",
            ),
            (
                "operations, by layer, by operator and in all",
                "fvcore",
                f"{', '.join(f'{name[9:]} in {seen[name]:,}' for name in operators)} networks;"
                f" {seen['fvcore refuses']:,} have a normalisation of more than three axes, which fvcore refuses",
            ),
            (
                "bytes saved for the backward pass, tensor by tensor, for batches of two and of one",
                "`saved_tensors_hooks`",
                f"{networks}; {seen['untrained']:,} cannot be trained on one image; in {seen['without oneDNN, 1']:,} (two"
                f" images: {seen['without oneDNN, 2']:,}) a transposed convolution over three axes may run without oneDNN,"
                " see [docs/memory.md](../docs/memory.md)",
            ),
            (
                "peak at inference: bytes made and alive after every operator, for batches of two and of one",
                "a dispatch mode on the CPU",
                f"{seen['operators in inference']:,} operators that make a tensor",
            ),
            (
                "peak in training: the same in both passes, for batches of two and of one",
                "a dispatch mode on the CPU",
                f"{seen['operators in training']:,} operators that make a tensor",
            ),
            (
                "these three with attention as `flash` and as `math`",
                "the same",
                f"{seen['attends']:,} networks with attention",
            ),
            (
                "field of every layer's middle unit, along every axis and from every input",
                "the support of a gradient on a stand-in",
                f"{seen['fields']:,} fields of {seen['layers with fields']:,} layers, {bounds:,} of them bounds",
            ),
        ]
        return ["| what | with | compared |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]

    def _disagreements(self) -> list[str]:
        """What differs: each network with the first text of each comparison."""
        if not self.disagreements:
            return ["Every figure agrees in every network."]
        first = {(name, spec): said for spec, name, said in reversed(self.disagreements)}
        differ = len({spec for spec, _, _ in self.disagreements})
        return [
            f"{differ:,} networks differ in a figure; all other figures agree in every network:",
            "",
            "| comparison | network, by digest | what differs first |",
            "|---|---|---|",
            *(f"| {name} | {digest(spec)} | {said} |" for (name, spec), said in sorted(first.items())),
        ]


def digest(spec: str) -> str:
    return hashlib.md5(spec.encode()).hexdigest()[:12]


def commit() -> str:
    """The state of the working tree: the commit, and whether files differ from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"
