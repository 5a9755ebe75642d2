"""A darknet cfg as a network, by the rules of darknet's parser. ``cfg_layers`` has a rule for each kind of section.

Layers are called after their type and the number of their section, which darknet prints: ``conv12``, ``max_pool5``.
A section that only passes its input on (box decoding, losses) is dropped, and the section behind it reads its input.

Source: AlexeyAB/darknet 59596d7 and pjreddie/darknet f6afaab, src/parser.c.
"""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.importing.cfg_file import Cfg
from archcalc.importing.cfg_layers import DROPPED, MISSING, RULES
from archcalc.importing.darknet import parse
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Imported
from archcalc.sizes import Shape


def read(text: str, file: str, inputs: Mapping[str, Shape], anew: bool, allow_missing: bool) -> Imported:
    """The network in the text of a cfg. ``anew``: at other inputs than those of the file."""
    sections = parse(text, file)
    if not sections or sections[0].kind not in ("net", "network"):
        line = sections[0].line if sections else 0
        raise ArchcalcError(Problem("the first section of a cfg must be [net]", file, line))
    cfg = Cfg(file, sections, inputs if anew else {})
    for index, section in enumerate(sections[1:]):
        cfg.index, cfg.section = index, section
        blob = cfg.current
        try:
            if section.whole("stopbackward", 0) == 1:
                cfg.frozen = section.line
            if section.kind in RULES:
                blob = RULES[section.kind](cfg, section)
            elif section.kind in DROPPED:
                cfg.graph.dropped[section.kind] += 1
            elif section.kind in MISSING:
                raise MissingError(f"{MISSING[section.kind]} has no counterpart")
            else:
                raise MissingError(unknown("section", section.kind, [*RULES, *DROPPED]))
        except WrongValueError as error:
            cfg.graph.problem(f"[{clipped(section.kind, 40)}]: {error}", section.line)
            blob = None
        except MissingError as error:
            cfg.graph.lacks(clipped(section.kind, 40), f"[{clipped(section.kind, 40)}]: {error}", section.line)
            blob = None
        cfg.outputs.append(blob)
        cfg.current = blob
    cfg.freeze()
    return cfg.graph.finish(allow_missing)
