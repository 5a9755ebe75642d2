"""A network as a Python file: the model that ``build`` makes, as plain PyTorch code that does not need archcalc.

The file is made from the network. PyTorch is neither needed nor imported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from keyword import iskeyword
from textwrap import wrap

from archcalc.analysis import analyze
from archcalc.export.classes import Class, Classes, called, camel, fields
from archcalc.export.forward import forward
from archcalc.export.frozen import frozen_modules
from archcalc.export.lines import WIDTH, fits, signature, statement
from archcalc.export.module_names import TAKEN, boxes_of, identifier
from archcalc.export.outline import ModuleOutline, outline
from archcalc.export.parameters import MISSING, RESERVED, literal
from archcalc.layers.region import per_map
from archcalc.named_inputs import inputs_text
from archcalc.network import Network
from archcalc.outputs import import_lines, outputs_of, unused_lines
from archcalc.pytorch.code import InlineCode, ModuleCode
from archcalc.version import __version__

IMPORTS = {
    "math": "import math",
    "OrderedDict": "from collections import OrderedDict",
    "Callable": "from collections.abc import Callable",
    "Sequence": "from collections.abc import Sequence",
    "Any": "from typing import Any",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "Tensor": "from torch import Tensor, nn",
    "ops": "from torchvision import ops",
}
STANDARD = ("math", "OrderedDict", "Callable", "Sequence", "Any")
_WORDLESS = re.compile(r'"""[\s\S]*?"""|"[^"\n]*"|#[^\n]*')
"""Matches strings and comments. Words in them are not Python names."""


def torch_source(network: Network) -> str:
    """The text of a Python file with the network as a ``torch.nn.Module``. Modules have the names of the spec.

    The ``state_dict`` keys and the outputs (inference and training) are equal to the keys and the outputs of the module
    that ``archcalc.witness.build`` makes. ArchcalcError if PyTorch lacks a layer.
    """
    network.need_single("code of PyTorch")
    root, main, sides = outline(network)
    root.arguments = _arguments(network)
    name = class_name(network)
    classes = Classes(root, name, {*IMPORTS, *parts()})
    bodies = ["\n".join(_class(one, classes, network, main, sides)) for one in classes.all]
    bodies.append(_script(network, name))
    code = "\n\n\n".join([*_needed("\n".join(bodies)), *bodies])
    names = set(re.findall(r"(?<![\w.])[^\W\d]\w*", _WORDLESS.sub("", code)))
    lines = [[line for key, line in IMPORTS.items() if key in names and (key in STANDARD) == s] for s in (True, False)]
    imports = "\n\n".join("\n".join(group) for group in lines if group)
    return f"{_header(network)}\n\n{imports}\n\n\n{code}\n"


def class_name(network: Network) -> str:
    """The network's name as a class name; ``Network`` if the name is too long or has other characters."""
    name = camel(network.name) if re.fullmatch(r"[\w.-]{1,60}", network.name) else "Network"
    return f"{name}Network" if name in (*IMPORTS, *parts()) or iskeyword(name) else name


def _titled(network: Network) -> str:
    """The title of the network, with the full name if settings were changed."""
    title = network.title.rstrip(".")
    return f"{title} ({network.full_name})" if network.settings_changed else title


def _header(network: Network) -> str:
    """The docstring of the file: the network's title, its numbers, and the program that wrote the file."""
    totals = analyze(network).totals
    about = network.about
    paper = ", ".join(str(about[key]) for key in ("paper", "table") if about.get(key))
    several, inputs = len(network.inputs) > 1, inputs_text(network.inputs, ", ", " ")
    paragraphs = [
        [f"{_titled(network)}."],
        [f"{paper}."] if paper else [],
        [f"{str(about['note'])[:1].upper()}{str(about['note'])[1:]}."] if about.get("note") else [],
        [f"Without side heads, for one does not fit this input: {network.side_problem}."]
        if network.side_problem
        else [],
        [f"{line}." for line in (*import_lines(network), *unused_lines(network))],
        [
            f"Input{'s' if several else ''} {inputs}, {totals.params:,} parameters, {totals.macs:,} MACs: a MAC is one product of a",
            "weight and an input, or of two values in attention, added to a sum; normalisation, activation and pooling have none.",
        ],
        [f"Written by archcalc {__version__}."],
    ]
    lines = [_quoted("\n".join(wrap(" ".join(p), WIDTH - 3, break_long_words=False))) for p in paragraphs if p]
    body = "\n\n".join(lines)
    return f'"""{body}\n"""'


def _quoted(text: str) -> str:
    """Text that may stand in a docstring."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).replace("\\", "\\\\").replace('"', "'")


def _class(one: Class, classes: Classes, network: Network, main: list[int], sides: list[int]) -> list[str]:
    """The lines of a class. The last class is the network; it returns the network's and the side heads' outputs."""
    first = one.blocks[0]
    whole = one is classes.all[-1]
    returned, sides = (main, sides) if whole else (list(first.outputs), [])
    columns = iter(zip(one.columns, one.texts, strict=True))
    lines, texts = [], []
    for item in first.items:
        what = classes.resolved(item.what)
        if isinstance(what, ModuleCode):
            lines += statement(f"self.{item.name} = {called(what, columns)}", 8)
        elif isinstance(what, InlineCode):
            texts += [next(columns)[1] for _ in fields(what.text)]
    words = dict.fromkeys(word for text in texts for word in re.findall(r"[^\W\d]\w*", text))
    known = [*(p.name for p in one.parameters), *one.locals]
    names = {name: _attribute(name, first) for name in known if name in words}
    spaces = [f"        self.{space} = nn.Module()" for space in first.namespaces]
    attributes = [f"        self.{attribute} = {name}" for name, attribute in names.items()]
    ties = [line for pair in first.ties for line in statement(f"tie({', '.join(f'self.{p}' for p in pair)})", 8)]
    frozen = [".".join(filter(None, ("self", path))) for path in frozen_modules(network)] if whole else []
    ties += [line for path in frozen for line in statement(f"{path}.requires_grad_(False)", 8)]
    texts = [re.sub(r"[^\W\d]\w*", lambda w: f"self.{names[w[0]]}" if w[0] in names else w[0], t) for t in texts]
    rois = _regions(network, first)
    first.arguments.update({value: name for value, (name, _) in rois.items()})
    given, body = forward(first, iter(texts), returned, sides)
    kinds = dict(rois.values())
    several = f"tuple[{', '.join('Tensor' for _ in returned)}]" if len(returned) < 9 else "tuple[Tensor, ...]"
    result = "Tensor | tuple[Tensor, ...]" if sides else {0: "None", 1: "Tensor"}.get(len(returned), several)
    about = f"{_quoted(_titled(network))}." if whole else _places(one)
    head = [f"class {one.name}(nn.Module):", f'    """{about}"""', ""]
    if lines or attributes:
        parameters = [f"{p.name}: {p.type}" + _default(p.default) for p in one.parameters]
        head += signature("__init__", ["self", *parameters], "None", 4)
        local_lines = [f"        {name} = {value}" for name, value in one.locals.items()]
        head += ["        super().__init__()", *local_lines, *attributes, *spaces, *lines, *ties, ""]
    head += signature("forward", ["self", *(f"{name}: {kinds.get(name, 'Tensor')}" for name in given)], result, 4)
    head += _described(network, first) if whole else []
    training, before = False, network.input
    for text, side, shape in body:
        if side and not training:
            head.append("        if self.training:")
        training = side
        indent = 12 if side else 8
        commented = f"{text}  # {shape}"
        if whole and shape not in (None, before) and fits(commented, indent):
            head.append(" " * indent + commented)
        else:
            head += statement(text, indent)
        before = before if shape is None else shape
    return head


def _arguments(network: Network) -> dict[int, str]:
    """The names of the arguments of ``forward`` if the network has several inputs. Names that are in use get a _."""
    names: dict[int, str] = {}
    in_use = {*RESERVED, *IMPORTS, *parts(), *boxes_of(network).values()}
    for index, given in enumerate(network.inputs if len(network.inputs) > 1 else ()):
        name = identifier(given)
        while name in in_use:
            name += "_"
        in_use.add(name)
        names[index] = name
    return names


def _described(network: Network, root: ModuleOutline) -> list[str]:
    """The docstring of ``forward``: the inputs and outputs in their order, if there are several."""
    inputs = (
        [f"{root.arguments[i]} {x}" for i, x in enumerate(network.inputs.values())] if len(network.inputs) > 1 else []
    )
    outputs = [f"{name} {shape}" for name, shape in outputs_of(network)] if len(network.outputs) > 1 else []
    texts = [f"{what}: {', '.join(listed)}." for what, listed in (("Inputs", inputs), ("Outputs", outputs)) if listed]
    if not texts:
        return []
    lines = wrap(_quoted(" ".join(texts)), WIDTH - 8, break_long_words=False)
    if len(lines) == 1 and fits(f'"""{lines[0]}"""', 8):
        return [f'        """{lines[0]}"""']
    return [f'        """{lines[0]}', *(f"        {line}" for line in lines[1:]), '        """']


def _regions(network: Network, block: ModuleOutline) -> dict[int, tuple[str, str]]:
    """The name and the type of the regions that a block is given, by value."""
    values = {-1 - at: (name, boxes.kind) for at, (boxes, name) in enumerate(boxes_of(network).items())}
    given = {value: values[value] for value in block.inputs if value in values}
    return {value: ("rois", kind) for value, (_, kind) in given.items()} if len(given) == 1 else given


def _grids(network: Network) -> dict[str, str]:
    """The code of a fixed set of regions, for every argument of ``forward`` that takes regions."""
    axes = network.input.axes
    height = "" if axes[:1] == axes[-1:] else f", {axes[0]} / {axes[-1]}"
    grids = {name: [f"grid({n}{height})" for n in per_map(*boxes)] for boxes, name in boxes_of(network).items()}
    return {name: one[0] if len(one) == 1 else f"[{', '.join(one)}]" for name, one in grids.items()}


def _attribute(name: str, block: ModuleOutline) -> str:
    """The name of the attribute that stores a parameter for the block's expressions."""
    modules = {item.name.split(".")[0] for item in block.items}
    while name in modules or name in TAKEN.split():
        name += "_"
    return name


def _default(value: object) -> str:
    return "" if value is MISSING else f" = {literal(value)}"


def _places(one: Class) -> str:
    """The paths of the blocks of a class, as many as one line can hold."""
    paths = [block.path for block in one.blocks]
    for shown in range(min(len(paths), 40), 0, -1):
        rest = f" and {len(paths) - shown} more" if shown < len(paths) else ""
        text = f"{', '.join(paths[:shown])}{rest}."
        if fits(f'"""{text}"""', 4):
            return text
    return f"{len(paths)} blocks."


def _script(network: Network, name: str) -> str:
    images = [f"torch.zeros({', '.join(map(str, (1, x.channels, *x.axes)))})" for x in network.inputs.values()]
    several = len(images) > 1
    grids = _grids(network)
    given = ", ".join(["*images" if several else images[0], *grids])
    run = f"model({given})"
    shapes = f"tuple({run}.shape)" if len(network.outputs) == 1 else f"[tuple(out.shape) for out in {run}]"
    return "\n".join(
        [
            'if __name__ == "__main__":',
            f"    model = {name}().eval()",
            *(statement(f"images = ({', '.join(images)})", 4) if several else []),
            *(line for name, text in grids.items() for line in statement(f"{name} = {text}", 4)),
            "    with torch.no_grad():",
            f"        print({shapes})",
            '    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")',
        ]
    )


SOURCES = ("missing_layers", "learned_layers", "convolution_layers", "attention_layers", "region_layers")
"""The modules with layers that torch.nn lacks: text for an export. The last one needs torchvision."""


@lru_cache(maxsize=1)
def parts() -> dict[str, str]:
    """The source of the layers that torch.nn lacks, by name. The source is read, not imported."""
    found = {}
    for name in SOURCES:
        text = resources.files("archcalc.export").joinpath(f"{name}.py").read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return found


def _needed(code: str) -> Iterator[str]:
    """The source of the parts that the code uses. Each part comes after the parts that it needs."""
    known, needed = parts(), set[str]()

    def add(text: str) -> Iterator[str]:
        for word in re.findall(r"\w+", text):
            if word in known and word not in needed:
                needed.add(word)
                yield from add(known[word])
                yield known[word]

    return add(code)
