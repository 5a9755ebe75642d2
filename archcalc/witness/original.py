"""A PyTorch model that was imported by its name, beside the model that is built from the import."""

from __future__ import annotations

from archcalc.capture.models import model_of
from archcalc.capture.recording import record
from archcalc.errors import ArchcalcError
from archcalc.importing.formats import is_model
from archcalc.importing.traced.network import graph_of
from archcalc.network import Network
from archcalc.witness.import_outputs import compared
from archcalc.witness.results import Comparison, OtherModel


def original(network: Network) -> tuple[OtherModel, list[Comparison]] | None:
    """The imported model with the difference of outputs on the same weights, on the CPU.

    None if the network was not imported so, or if the import lacks a part of the model.
    """
    if not is_model(network.file):
        return None
    model = model_of(network.file)
    sizes = {name: (shape.channels, *shape.axes) for name, shape in network.inputs.items()}
    run = record(model.module, sizes, network.file)
    graph = graph_of(run, network.file)
    if run.remarks or graph.missing:
        return None
    weights = {id(one) for call in run.calls for one in call.tensors if one.kind in ("parameter", "buffer")}
    other = OtherModel(f"{network.file} itself", len(weights), None, None)
    try:
        row = compared(model.module, sizes, graph.finish(False), graph.origins)
    except ArchcalcError as error:
        return other, [Comparison(f"weights of {network.file}", "one to one", str(error), True)]
    found = row["difference"]
    problem = Comparison(f"output beside that of {network.file}", "the same", f"{found:.1e} off", True)
    return other._replace(difference=found), [] if row["verdict"] == "exact" else [problem]
