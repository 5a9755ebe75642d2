"""The rules: what the calls of operators become. Each module registers its rules when it is imported."""

from archcalc.importing.traced.rules import (  # noqa: F401
    activations,
    arithmetic,
    attention,
    concats,
    convolutions,
    cuts,
    lengths,
    lookups,
    moves,
    norms,
    pools,
    responses,
    samples,
    unfolds,
    views,
)
