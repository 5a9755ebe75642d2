"""``archcalc import``: a network of another tool as a spec."""  # noqa: N999

from __future__ import annotations

from archcalc.cli.command import Argument, Arguments, Command, Option
from archcalc.cli.networks import input_of
from archcalc.cli.options import ALLOW_MISSING, INPUT, OUTPUT, TRACEBACK


def run(args: Arguments) -> str:
    from archcalc.language.written import import_spec

    return import_spec(args.file, input_of(args), args.allow_missing, flat=args.flat)


COMMAND = Command(
    "import",
    "a network of PyTorch, ONNX, Caffe or darknet as a spec, checked layer for layer",
    "archcalc import yolov3.cfg -o yolov3.yaml",
    run,
    arguments=(
        Argument(
            "FILE",
            "FILE.onnx, FILE.prototxt (Caffe) or FILE.cfg (darknet); - for standard input; or a PyTorch model, whose code is "
            "imported and run: torchvision:NAME, timm:NAME or torch:MODULE:NAME (a module, its class or a function)",
            dict[str, str],
            most=1,
        ),
    ),
    options=(
        Option("--flat", "one entry for each layer, instead of blocks and repeats"),
        INPUT._replace(
            about="the size of the input, if the file leaves it open or for another size of a model, for example 3x224x224",
            shared=False,
        ),
        ALLOW_MISSING,
        TRACEBACK,
        OUTPUT,
    ),
    extensions=lambda _: {"yaml": "yaml", "yml": "yaml"},
    usual="yaml",
    page="import.md",
)
