"""The rooms of the package and their imports, and the drawing of them: ``python -m tests.architecture``.

The drawing is docs/architecture.svg, laid out by Graphviz. The file holds its own source, in the language of Graphviz,
as a comment: a test compares this source with the imports, and needs no Graphviz.
"""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

import archcalc

PACKAGE = Path(archcalc.__file__).parent
DRAWING = PACKAGE.parent / "docs" / "architecture.svg"
FRAMEWORKS = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "tabulate")

GROUND = {
    "errors": "the one exception",
    "version": "",
    "letters": "what may be a name",
    "units": "numbers to text",
    "files": "written whole or not at all",
    "dtypes": "bytes of a value",
    "sizes": "shapes, windows, arithmetic",
    "interned": "equal arrays as one object",
    "forks": "work on several cores",
    "lanes": "many numbers in the place of one",
    "symbols": "numbers that note what is computed",
    "types": "argument types",
    "trees": "values with lines",
}
HOUSE = {
    "layers": "four facts per layer type",
    "inputs": "sizes of an input",
    "named_inputs": "inputs by name",
    "nodes": "a layer in its place",
    "settings_text": "settings as typed",
    "described": "a network before its layers",
    "network": "the graph of layers",
    "naming": "names side by side",
    "outputs": "outputs chosen",
    "importing": "files of other tools",
    "language": "text to network",
    "conventions": "how a tool counts",
    "pytorch": "what PyTorch does, per layer type",
    "field": "receptive fields",
    "memory": "what is alive when",
    "timing": "how long it takes on a device",
    "analysis": "rows, totals, folds",
    "conditions": "figures under conditions",
    "budgets": "networks within limits",
    "export": "network to PyTorch source",
    "published": "figures of papers, judged",
    "spaces": "many networks at once",
    "capture": "PyTorch modules, recorded",
    "witness": "PyTorch models, measured",
    "report": "one file per table",
    "plugins": "layer types of a user",
    "front": "Network and Analysis for users",
    "testing": "budgets in a test",
    "plot": "pictures",
    "pages": "the report in HTML",
    "live": "the page edited live",
    "cli": "commands",
}
ROOMS = (*GROUND, *HOUSE)
"""The rooms from the ground up, with what each holds: a room may import those before it, and none that comes after."""
CORE = tuple(room for room in ROOMS[: ROOMS.index("published")] if room not in ("lanes", "symbols"))
"""What calculates: it names no framework. ``lanes`` and ``symbols`` are arrays of NumPy, imported only for many networks at once."""


def modules_of(package: Path) -> dict[str, Path]:
    """Every module of a package, by its dotted name below the package."""
    return {
        ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }


@cache
def imported(path: Path) -> list[str]:
    """The modules that a file imports, wherever in it: at its top, in a function, or for a type checker."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a module comes from"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


MOST_LINES_OF_A_MODULE, MOST_LINES_OF_A_FUNCTION = 300, 60
MOST_PARAMETERS, MOST_ATTRIBUTES = 8, 12
"""The most parameters of a function, and of a constructor, whose parameters are the attributes of a record."""


def too_large(package: Path) -> set[str]:
    """The modules and functions of a package beyond the limits, by their dotted names below the package."""
    large = set()
    for module, path in modules_of(package).items():
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MOST_LINES_OF_A_MODULE:
            large.add(module)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = sum(parameter.arg not in ("self", "cls") for parameter in parameters)
                most = MOST_ATTRIBUTES if node.name == "__init__" else MOST_PARAMETERS
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION or count > most:
                    large.add(f"{module}.{node.name}")
    return large


def arrows(package: Path) -> dict[str, set[str]]:
    """For every module of a package, the modules of the package that it imports."""
    modules = modules_of(package)
    imports = {}
    for name, path in modules.items():
        targets = set()
        for full in imported(path):
            target = full.removeprefix("archcalc.") if full.startswith("archcalc.") else ""
            while target and target not in modules:
                target = target.rpartition(".")[0]
            targets |= {target} - {"", name}
        imports[name] = targets
    return imports


def room(module: str) -> str:
    return module.partition(".")[0]


def arrows_up(package: Path, rooms: tuple[str, ...] = ROOMS) -> list[str]:
    """The imports that run from a room to one above it."""
    place = {name: at for at, name in enumerate((*rooms, "__init__", "__main__"))}
    return [
        f"{module} -> {target}"
        for module, targets in sorted(arrows(package).items())
        for target in sorted(targets)
        if place[room(target)] > place[room(module)]
    ]


def circles(package: Path) -> list[str]:
    """The modules that import each other in a loop, of every loop once."""
    graph = {module: set(targets) for module, targets in arrows(package).items()}
    while free := [module for module, targets in graph.items() if not targets & graph.keys()]:
        for module in free:
            del graph[module]
    used = {target for targets in graph.values() for target in targets}
    return sorted(module for module in graph if module in used)


def rooms_imported() -> dict[str, set[str]]:
    """For every room above the ground, the other rooms above the ground that it imports."""
    imports: dict[str, set[str]] = {name: set() for name in HOUSE}
    for module, targets in arrows(PACKAGE).items():
        if room(module) in HOUSE:
            imports[room(module)] |= {room(target) for target in targets} & HOUSE.keys() - {room(module)}
    return imports


def below(name: str, imports: dict[str, set[str]]) -> set[str]:
    """All rooms that a room reaches."""
    return imports[name].union(*(below(target, imports) for target in imports[name]))


def frameworks(name: str) -> list[str]:
    """The frameworks that a room imports, wherever in it."""
    paths = [path for module, path in modules_of(PACKAGE).items() if room(module) == name]
    named = {module.partition(".")[0] for path in paths for module in imported(path)}
    return [framework for framework in FRAMEWORKS if framework in named]


def source() -> str:
    """The drawing in the language of Graphviz: an arrow for an import that does not follow from other arrows."""
    imports = rooms_imported()
    legend = "An arrow is an import. Arrows that follow from others are left out.\\nBlue: the core, which imports no framework."
    lines = [
        "digraph archcalc {",
        'graph [bgcolor=white ranksep=0.4 nodesep=0.25 fontname="Helvetica" fontsize=9 fontcolor="#444444" pad=0.2]',
        f'graph [label="{legend}" labelloc=b]',
        'node [shape=box style="rounded,filled" fontname="Helvetica" fontsize=10 margin="0.12,0.07" penwidth=0.8]',
        'edge [color="#5b6b7f" penwidth=0.8 arrowsize=0.6 arrowhead=vee]',
    ]
    for name, purpose in HOUSE.items():
        outside = [] if name in CORE else frameworks(name)
        fill, line = ("#e8f1fb", "#2c5f9e") if name in CORE else ("#fdf0e1", "#b86a1b")
        notes = f'<br/><font point-size="8" color="#b86a1b">{", ".join(outside)}</font>' if outside else ""
        label = f'<<b>{name}</b><br/><font point-size="8.5" color="#444444">{purpose}</font>{notes}>'
        lines.append(f'{name} [label={label} fillcolor="{fill}" color="{line}"]')
    ground = " · ".join(GROUND)
    lines.append(
        f'ground [label=<<b>{ground}</b><br/><font point-size="8.5" color="#444444">the ground: every room may import '
        'these modules</font>> fillcolor="#eeeeee" color="#777777"]'
    )
    for name in HOUSE:
        direct = imports[name] - set().union(*(below(target, imports) for target in imports[name]))
        lines += [f"{name} -> {target}" for target in sorted(direct)]
        if not direct:
            lines.append(f"{name} -> ground")
    return "\n".join([*lines, "}"]) + "\n"


def source_in(svg: str) -> str:
    """The source that a drawing was made from."""
    return svg.partition("<!-- source\n")[2].partition("-->")[0].replace("- >", "->")


def draw() -> None:
    """Write docs/architecture.svg; needs Graphviz."""
    text = source()
    svg = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True).stdout
    comment = f"<!-- source\n{text.replace('->', '- >')}-->\n"
    DRAWING.write_text(comment + svg[svg.index("<svg") :], encoding="utf-8")


if __name__ == "__main__":
    draw()
