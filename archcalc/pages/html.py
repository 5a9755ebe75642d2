"""A page as one HTML file that loads no other file, and the index of all pages. Both are made from templates."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from archcalc.errors import ArchcalcError, visible
from archcalc.pages.html_table import html_table, layer_tree
from archcalc.pages.inline_svg import inline_svg, picture_colours
from archcalc.pages.page import Page
from archcalc.report.table import Table
from archcalc.units import counted
from archcalc.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

FILE_NAME = re.compile(r"[\w.-]+")


def html_page(page: Page) -> str:
    """The whole page as HTML. ArchcalcError if jinja2 is not installed."""
    sources = {"source": {source.key: source.link for source in page.sources}}
    published = [("figure-table", page.differing), ("match-table", page.matching)]
    return _filled(
        "page.html",
        page=page,
        layers=layer_tree(page),
        stages=html_table(page.stages, "stage-table"),
        figures=[html_table(table, name, links=sources) for name, table in published],
        colours=picture_colours() if page.pictures else "",
    )


def html_index(index: Table, files: dict[str, str]) -> str:
    """The page that compares all networks. ``files``: the file names of their pages, without extension."""
    links = {"network": {name: f"{file}.html" for name, file in files.items()}}
    return _filled("index.html", index=index, networks=html_table(index, "networks", exact=False, links=links))


def _filled(template: str, **data: Any) -> str:
    return _environment().get_template(template).render(**data)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The templates. Every text is made printable and then escaped."""
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ModuleNotFoundError:
        raise ArchcalcError("HTML pages need jinja2: pip install 'archcalc[report]'") from None
    environment = Environment(
        loader=FunctionLoader(lambda name: _text("templates", name)),
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"counted": counted, "inline_svg": _markup(inline_svg)}
    environment.tests["link"] = _is_link
    environment.globals |= {"asset": _markup(lambda name: _text("assets", name)), "version": __version__}
    return environment


def _markup(function: Any) -> Any:
    """The function, with its result marked as markup of archcalc: the templates do not escape the result."""
    from markupsafe import Markup

    return lambda *arguments: Markup(function(*arguments))


def _text(folder: str, name: str) -> str:
    """The text of a file of this package. The package can be in a zip file."""
    return resources.files("archcalc.pages").joinpath(folder, name).read_text(encoding="utf-8")


def _is_link(target: str) -> bool:
    """Whether a target is a web address or a file of the report. Other targets are shown without a link."""
    return target.startswith(("https://", "http://")) or FILE_NAME.fullmatch(target) is not None
