"""The network of a file while it is imported: steps in the order in which they run, and what has no counterpart.

A step is a layer with settings, sources and the line of the file. Its shape is computed at once, so a rule of a format
may depend on it. ``Graph.tree`` makes the tree that the language reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, LayerError, Problem, clipped
from archcalc.importing.naming import Naming
from archcalc.layers import Layer, registry
from archcalc.layers.pool import MaxPool
from archcalc.layers.resample import Pooled, Pooling
from archcalc.named_inputs import INPUT
from archcalc.outputs import IMPORT
from archcalc.sizes import Shape
from archcalc.trees import MAX_NODES, Tree, tree_of
from archcalc.units import counted

MOST_STEPS = MAX_NODES // 8
"""The most layers of a file: each is several values of a tree."""
MOST_PROBLEMS = 50
MOST_NAMED = 12
"""The most problems that an error lists, and the most dropped kinds of layers that a note names."""


class Imported(NamedTuple):
    """The tree of a spec, and what every report has to say of the import."""

    tree: Tree
    notes: list[str]
    names_are_paths: bool = False
    classes: Mapping[str, str] = {}
    forms: Mapping[str, str] = {}
    program: Any = None
    """The class of every module, by its path, where the names of layers are paths."""


class Blob(NamedTuple):
    """An output of a step, or an input: the name of the step, and the shape."""

    name: str
    shape: Shape
    regions: int = 0


class Step:
    """A layer with its settings, the names of its sources, and its options."""

    def __init__(self, type: str, settings: Mapping[str, Any], sources: list[str], name: str, line: int) -> None:
        self.type, self.settings, self.sources, self.name, self.line = type, settings, sources, name, line
        self.options: dict[str, Any] = {}
        self.regions = 0
        self.side = False

    @property
    def around(self) -> dict[str, Any]:
        """What an entry holds around the step: a group that runs for every region, or a side head."""
        return {"regions": self.regions} if self.regions else {"side": True} if self.side else {}

    def tree(self, before: str) -> Tree:
        """The step as an entry of a spec. ``before`` is the name of the step that the step reads by default."""
        layer = registry[self.type]
        settings: Any = dict(self.settings) or None
        if layer.direct and settings and settings.keys() == {layer.direct}:
            settings = settings[layer.direct]
        entry: dict[str, Any] = {self.type: settings, "name": self.name}
        if len(self.sources) > 1 or layer.joins:
            entry["from"] = self.sources
        elif self.sources != [before]:
            entry["from"] = self.sources[0]
        return tree_of({**entry, **self.options}, self.line)


class Graph:
    """The steps of a network that is imported from ``file``."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.about: dict[str, Any] = {}
        self.inputs: dict[str, Shape] = {}
        self.input_line = 1
        self.outputs: list[str] = []
        """The names of the outputs, if they are not those that nothing reads."""
        self.steps: list[Step] = []
        self.names = Naming()
        self.poolings: dict[str, Pooled] = {}
        self.problems: list[Problem] = []
        self.missing: list[Problem] = []
        self.missing_kinds: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.remarks: dict[str, None] = {}
        """What else the reader of a report has to know, each once."""
        self.names_are_paths = False
        self.classes: Mapping[str, str] = {}
        self.forms: dict[str, str] = {}
        """How the code writes layers, by name, where the convention of a tool depends on it."""
        self.storage_known = False
        """Whether the steps state where their outputs lie, so that nothing has to be guessed."""
        self.origins: dict[str, Any] = {}
        """What the layers of a recorded run were made of, by name."""
        self.cut = 0
        """The steps that are left out because they stand behind a layer without a counterpart."""

    def problem(self, text: str, line: int) -> None:
        self.problems.append(Problem(text, self.file, line))
        if len(self.problems) >= MOST_PROBLEMS:
            raise ArchcalcError(self.problems)

    def lacks(self, kind: str, text: str, line: int, place: str = "") -> None:
        """Note a layer of the file that has no counterpart. ``place``: where it stands, if it is not in the file."""
        self.missing_kinds[kind] += 1
        self.missing.append(Problem(text, place or self.file, line))
        if len(self.missing) >= MOST_STEPS:
            self.stop()

    def stop(self) -> None:
        raise ArchcalcError(Problem(f"more than {MOST_STEPS:,} layers", self.file))

    def input(self, name: str, shape: Shape, line: int) -> Blob:
        """An input of the network. The first one is the main input."""
        if not self.inputs:
            self.input_line = line
        name = self.names.new(self.names.of_input(name))
        self.inputs[name] = shape
        return Blob(name, shape)

    def add(
        self,
        type: str,
        sources: Sequence[Blob | None],
        name: str,
        line: int,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Blob | None:
        """Append a step. None if a source is None, which stands behind a layer without a counterpart."""
        known = [source for source in sources if source is not None]
        if len(known) < len(sources):
            self.cut += 1
            return None
        if len(self.steps) >= MOST_STEPS:
            self.stop()
        settings = settings or {}
        regions = int(settings.get("regions", 0)) or max((blob.regions for blob in known), default=0)
        try:
            made = self.layer(type, settings)
            shape = made.shape(*[blob.shape for blob in known])
        except LayerError as error:
            self.problem(f"{clipped(name, 60)}: {error}", line)
            self.cut += 1
            return None
        written = {k: v.name if isinstance(v, Blob) else v for k, v in settings.items() if k != "regions"}
        step = Step(type, written, [blob.name for blob in known], self.names.new(name), line)
        step.options, step.regions = options, regions
        self.steps.append(step)
        if isinstance(made, MaxPool):
            self.poolings[step.name] = Pooled.of(made, known[0].shape, shape)
        return Blob(step.name, shape, regions)

    def layer(self, type: str, settings: Mapping[str, Any]) -> Layer:
        """The layer of these settings; LayerError if they do not fit."""
        kind = registry[type]
        return kind(**{key: self._fact(kind, key, value) for key, value in settings.items()})

    def _fact(self, kind: type[Layer], key: str, value: Any) -> Any:
        """The value of a setting. A blob stands for the sizes of its map, or for the pooling that made it."""
        if not isinstance(value, Blob):
            return value
        return self.poolings[value.name] if isinstance(kind.fields[key], Pooling) else value.shape.axes

    def alone(self) -> None:
        """Give a layer that writes in place new storage, if another step reads its input too."""
        readers = Counter(source for step in self.steps for source in step.sources)
        for step in self.steps:
            if registry[step.type].storage == "in_place" and any(readers[source] > 1 for source in step.sources):
                step.options["storage"] = "new"

    def finish(self, allow_missing: bool) -> Imported:
        """The tree with its notes; ArchcalcError with all problems, and with all missing layers if they count."""
        problems = [*self.problems, *([] if allow_missing else self._missing())]
        if problems:
            raise ArchcalcError(problems)
        if not self.steps:
            raise ArchcalcError(Problem("has no layer: nothing is computed from the input", self.file))
        read = {source for step in self.steps for source in step.sources}
        self.inputs = {name: shape for name, shape in self.inputs.items() if name in read}
        if not self.storage_known:
            self.alone()
        notes = ["; ".join([self.note(), *self.remarks])]
        return Imported(self.tree(), notes, self.names_are_paths, self.classes, self.forms)

    def _missing(self) -> list[Problem]:
        if not self.missing:
            return []
        listed = self.missing[:MOST_PROBLEMS]
        more = len(self.missing) - len(listed)
        kinds = _counted(self.missing_kinds)
        text = (
            f"layers without a counterpart in archcalc: {kinds}. --allow-missing leaves these layers out, with all layers "
            f"behind them"
        )
        return [*listed, *([Problem(f"and {more} more", self.file)] if more else []), Problem(text, self.file)]

    def note(self) -> str:
        """What the import left out, in one line."""
        dropped = f"dropped: {_counted(self.dropped)}" if self.dropped else "nothing dropped"
        if not self.missing:
            return f"{IMPORT}parameters complete, multiply-adds complete, {dropped}"
        behind = f" and {counted(self.cut, 'layer')} behind them" if self.cut else ""
        return (
            f"{IMPORT}every count is a lower bound, and outputs are cut, without {_counted(self.missing_kinds)}{behind}; "
            f"{dropped}"
        )

    def tree(self) -> Tree:
        """The spec of the network: one step after another."""
        about = {key: tree_of(value, 1) for key, value in self.about.items()}
        sizes = {name: [shape.channels, *shape.axes] for name, shape in self.inputs.items()}
        one = next(iter(self.inputs)) if len(self.inputs) == 1 else ""
        stated = {"input": sizes[one]} if one else {"inputs": sizes}
        before = INPUT if one else next(iter(self.inputs))
        entries: list[Tree] = []
        around, inside, main = dict[str, Any](), list[Tree](), before
        for step in self.steps:
            if one:
                step.sources = [INPUT if source == one else source for source in step.sources]
                step.settings = {k: INPUT if v == one and k in ("like", "of") else v for k, v in step.settings.items()}
            if step.around != around:
                before = main if around.get("side") else before
                inside, around, main = [], step.around, before
            entry = step.tree(before)
            if around:
                inside.append(entry)
                group = {"side": inside} if step.side else {**around, "layers": inside}
                entries[-1 if len(inside) > 1 else len(entries) :] = [tree_of(group, step.line)]
            else:
                entries.append(entry)
            before = step.name
        about |= {"outputs": tree_of(self.outputs, 1)} if self.outputs else {}
        top = {**about, **{k: tree_of(v, self.input_line) for k, v in stated.items()}, "layers": tree_of(entries, 1)}
        return tree_of(top, 1)


def _counted(kinds: Counter[str]) -> str:
    """Kinds of layers with their numbers: ``3 yolo, cost``."""
    parts = [kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items()]
    more = len(parts) - MOST_NAMED
    return ", ".join(parts[:MOST_NAMED]) + (f" and {more} more kinds" if more > 0 else "")
