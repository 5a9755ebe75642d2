"""``archcalc memory``: memory of inference and training."""

from __future__ import annotations

from archcalc.cli import names, values
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import networks
from archcalc.cli.options import (
    BATCH,
    DTYPE,
    EXACT,
    FORMAT,
    INPUT,
    NET,
    NET_OPTIONS,
    OUTPUT,
    VERBOSE,
    columns,
    table_extensions,
)
from archcalc.cli.printing import tables_text


def run(args: Arguments) -> str:
    from archcalc.report.budget import MemoryRequest, memory_table

    settings = {name: getattr(args, name) for name in MemoryRequest._fields if name != "input"}  # the networks have it
    request = MemoryRequest(**settings)
    return tables_text(args, [memory_table(network, request, args.columns) for network in networks(args)])


COMMAND = Command(
    "memory",
    "memory of inference and training, layer by layer; the largest batch for a memory budget",
    "archcalc memory vgg16 --fit 24GiB --optimizer adam",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        INPUT,
        BATCH._replace(default=None),
        DTYPE,
        Option("--training", "memory of a training step instead of inference"),
        Option(
            "--optimizer",
            "optimizer of the training step: sgd, momentum, adam or adamw (sgd)",
            "NAME",
            names=names.optimizers,
        ),
        Option("--amp", "mixed precision, as autocast to bfloat16"),
        Option(
            "--attention",
            "how PyTorch runs attention: flash (one fused operator) or math (the scores are stored) (flash)",
            "FORM",
            names=names.attention_forms,
        ),
        Option(
            "--checkpoint", "run these blocks a second time in the backward pass, and save fewer tensors", "BLOCK,..."
        ),
        Option("--fold-bn", "the deployed network: batch normalisations folded into the convolutions"),
        Option("--overhead", "add SIZE for the framework and the GPU context", "SIZE"),
        Option(
            "--fit",
            "find the largest batch that fits into SIZE (example: 24GiB); with --batch N, find the largest square input "
            "instead",
            "SIZE",
        ),
        Option("--batches", "a table over these batch sizes", "N,...", values.numbers),
        FORMAT,
        columns(names.memory_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    page="memory.md",
)
