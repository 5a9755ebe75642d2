"""From a family to a network. The layers are made when they are first used. A problem names the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from archcalc.errors import ArchcalcError, LayerError, Problem, unknown
from archcalc.inputs import Takes, looks_swapped
from archcalc.language.evaluator import MAX_OPERATIONS, Evaluator
from archcalc.language.expander import Expander
from archcalc.language.family import Entry, Family
from archcalc.language.grammar import ExpressionError
from archcalc.language.naming import Names, TakenError
from archcalc.language.operations import UnknownValueError
from archcalc.language.settings import checked_settings, defaults
from archcalc.language.steps import value
from archcalc.layers.settings import whole_number
from archcalc.named_inputs import chosen_inputs
from archcalc.network import AnyNetwork, Network
from archcalc.settings_text import changed, full_name, setting_text
from archcalc.sizes import Shape


def expand(family: Family, name: str, settings: dict[str, Any] | None = None, input: Any = None) -> Network:
    """The network ``name`` of the family, with its layers; ArchcalcError with every problem.

    ``settings`` replace defaults of spec parameters, and ``input`` replaces inputs of the spec.
    """
    network = network_of(Network, family, name, settings, input)
    network.nodes  # noqa: B018  builds the layers, and raises their problems here
    return network


def network_of(
    kind: type[AnyNetwork], family: Family, name: str, settings: dict[str, Any] | None = None, input: Any = None
) -> AnyNetwork:
    """The network ``name`` of the family. Its layers are built when they are first used.

    ArchcalcError if the family does not accept the settings, or if the order of the input's sizes is probably wrong.
    """
    if name not in family.networks:
        raise ArchcalcError(Problem(unknown("network", name, family.networks), family.file))
    entry = family.networks[name]
    values = checked_settings(family, name, settings or {})
    own = family.params | entry.settings
    with _settings_said(family, name, values):
        scope, takes, wrong = _scope_and_inputs(family, entry, values, strict=input is None)
        given = {} if input is None else chosen_inputs(full_name(name, changed(values, own)), takes, input)
        if problems := [problem for key in takes if key not in given for problem in wrong.get(key, ())]:
            raise ArchcalcError(problems)
        inputs = {key: given.get(key) or cast("Shape", one.own) for key, one in takes.items()}

    def build() -> Network:
        with _settings_said(family, name, values):
            source = family if family.again is None or network.at_own_input else family.again(inputs)
            return _expanded(source, network, scope, resized=input is not None)

    network = kind(
        name,
        inputs,
        title=str(entry.about.get("title", family.about.get("title", name))),
        about=family.about | entry.about,
        settings=values,
        defaults=own,
        notes=[*family.notes, *(note for shape in inputs.values() for note in _order_noted(shape))],
        origin="zoo" if family.in_zoo else "file",
        file=family.file,
        takes=takes,
        rebuild=lambda inputs, values: network_of(kind, family, name, values, inputs or None),
        build=build,
    )
    network.forms, network.program = family.forms, family.program
    if family.again is None:
        network.formulas = entry.formulas
    network.budgets = [(one.value, one.place) for one in (*family.budgets, *entry.budgets)]
    return network


def _order_noted(input: Shape) -> list[str]:
    """A note if the input looks like height x width x channels, but is read as channels x height x width."""
    if looks_swapped(input) is None:
        return []
    return [f"the input {input} is read as channels x height x width: {input.channels} channels"]


@contextmanager
def _settings_said(family: Family, name: str, values: dict[str, Any]) -> Iterator[None]:
    """Add the settings that the user changed to every problem raised inside the ``with`` block."""
    try:
        yield
    except ArchcalcError as error:
        own = family.params | family.networks[name].settings
        given = [f"{key}={setting_text(value)}" for key, value in values.items() if value is not own[key]]
        if not given:
            raise
        said = f"{name} with {' '.join(given)}; its parameters and defaults: {defaults(family, name)}"
        raise error.also(Problem(said)) from None


def _scope_and_inputs(
    family: Family, entry: Entry, settings: dict[str, Any], *, strict: bool
) -> tuple[dict[str, Any], dict[str, Takes], dict[str, Iterable[Problem]]]:
    """The scope that every block sees (the family's parameters and names), and what the network's inputs accept.

    Last, the problems of every input that is not valid under these settings. ArchcalcError if a check fails. With
    ``strict``, also if an input is not valid.
    """
    evaluator, takes, wrong = Evaluator(), dict[str, Takes](), dict[str, Iterable[Problem]]()
    scope = dict(settings)
    for key, given in family.let.items():
        scope[key] = evaluator.evaluate(given.value, scope, given.place)
    for condition, text in family.checks:
        if evaluator.holds(condition.value, scope, condition.place) is False:
            evaluator.problem(text, condition.place, where=True)
    stated = entry.inputs or family.inputs
    for name, given in stated.items():
        problems, sizes = Evaluator(), []
        for size in given.value:
            try:
                sizes.append(whole_number(value(size, scope, evaluator.spend), 1))
            except UnknownValueError:
                sizes.append(1)
            except (ExpressionError, LayerError) as error:
                for one in (problems, evaluator) if strict else (problems,):
                    one.problem(f"input: {error}", given.place, where=getattr(error, "where", None))
                sizes.append(1)
        wrong[name] = problems.problems.values()
        own = None if problems.problems else Shape(sizes[0], tuple(sizes[1:]))
        takes[name] = Takes(own, entry.axes or family.axes or (len(sizes) - 1,))
    evaluator.fail_if_any()
    return scope, takes, wrong


def _expanded(family: Family, network: Network, scope: dict[str, Any], *, resized: bool) -> Network:
    """The network's layers. If the spec gives a name that archcalc made up earlier, the network is expanded again."""
    reserved: frozenset[str] = frozenset()
    spent = 0
    while spent <= MAX_OPERATIONS:  # every expansion settles the names of one more level, outermost first
        try:
            return Expander(family, network, scope, Names(reserved, False, network.inputs), resized=resized).network
        except TakenError as error:
            reserved, spent = error.reserved, spent + error.operations
    return Expander(family, network, scope, Names(reserved, True, network.inputs), resized=resized).network
