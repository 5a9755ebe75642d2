"""A prototxt of Caffe as a network: phases, inputs, and blobs by name. ``caffe_layers`` has a rule for each layer type.

The layers of the phase TEST count, or those of TRAIN if the file has no input for TEST. A name of a blob means the last
layer that wrote it before the reader, because a layer may write over its input. Losses, metrics and box decoding are
dropped, and so is what only they feed.

Source: BVLC/caffe 9b89154, src/caffe: net.cpp (phases, blobs), util/upgrade_proto.cpp (layers of the first format).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.errors import ArchcalcError, Problem, clipped, nearest
from archcalc.importing.caffe_file import Caffe, Dropped, Record
from archcalc.importing.caffe_layers import DROPPED, INPUTS, MISSING, RULES, WEIGHTED
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob, Imported
from archcalc.importing.prototxt import Message, parse
from archcalc.sizes import Shape


def read(text: str, file: str, inputs: Mapping[str, Shape], anew: bool, allow_missing: bool) -> Imported:
    """The network in the text of a prototxt. ``inputs``: the sizes of inputs that the file leaves open; with
    ``anew``, of all inputs.
    """
    message = parse(text, file)
    layers = [Record(one, name == "layers") for name in ("layer", "layers") for one in message.messages(name)]
    if not layers:
        raise ArchcalcError(Problem(_no_layers(message), file, 1))
    layers.sort(key=lambda record: record.order)
    net = Caffe(file, message, inputs, anew)
    chosen = net.phase(layers, INPUTS)
    net.count_readers(chosen)
    for index, record in enumerate(chosen):
        net.index, net.record = index, record
        kind = clipped(record.kind, 40)
        try:
            outputs = outputs_of(net, record)
        except WrongValueError as error:
            net.graph.problem(f"{clipped(record.name, 60)} ({kind}): {error}", record.message.line)
            outputs = [None] * len(record.tops)
        except MissingError as error:
            net.graph.lacks(kind, f"{clipped(record.name, 60)} ({kind}): {error}", record.message.line)
            outputs = [None] * len(record.tops)
        net.write(outputs)
    return net.graph.finish(allow_missing)


def outputs_of(net: Caffe, record: Record) -> Sequence[Blob | Dropped | None]:
    """What a layer writes. MissingError if it has no counterpart."""
    if record.kind in INPUTS:
        return INPUTS[record.kind](net, record)
    if record.kind in DROPPED or record.kind.endswith(("Loss", "LossOHEM")):
        return net.drop()
    if net.fed_by_dropped() and record.kind not in WEIGHTED:
        return net.drop()
    if record.kind in RULES:
        found = RULES[record.kind](net, record)
        return found if isinstance(found, list) else [found]
    if record.kind in MISSING:
        raise MissingError(f"{MISSING[record.kind]} has no counterpart")
    close = nearest(record.kind, RULES)
    hint = f"; did you mean {close!r}?" if close else ""
    raise MissingError(f"layers of the type {clipped(record.kind, 40)!r} are not known{hint}")


def _no_layers(message: Message) -> str:
    for name in ("net", "train_net"):
        if message.text(name):
            return f"the settings of a solver; the network is in {clipped(message.text(name), 80)!r}"
    return "the file has no layers"
