"""Memory over time, and its parts at the peak."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.live.documents import analysis_of
from archcalc.live.state import State
from archcalc.memory.budget import TRAINABLE, Parts
from archcalc.memory.lifetime import Schedule
from archcalc.memory.timeline import ROLES, alive_by_role, shown_moments
from archcalc.report.memory import part_title, sum_text

ALL_OF_TRAINING = "training peak with weights, gradients, optimizer state and network input"
SAMPLES = 600
"""The most parts of the time axis: each shows its largest and its smallest moment."""


def memory(state: State) -> dict[str, Any]:
    """The answer of the operation ``memory``: the run of inference; with ``training`` also that of a training step."""
    analysis = analysis_of(state)
    budget = analysis.memory(optimizer=state.optimizer)
    answer: dict[str, Any] = {
        "roles": [{"key": key, "title": title} for key, title in ROLES.items()],
        "inference": _run(
            analysis, budget.inference, budget.inference_parts(analysis.batch), "with weights and network input"
        ),
        "training": None,
        "notes": [],
    }
    if state.training and state.dtype not in TRAINABLE:
        answer["notes"].append(
            f"PyTorch cannot train in {state.dtype}: it has gradients for {', '.join(TRAINABLE)} only"
        )
    elif state.training:
        parts = budget.training_parts(analysis.batch)
        answer["training"] = _run(analysis, budget.training, parts, ALL_OF_TRAINING)
        answer["training"]["turn"] = budget.training.of_batch(analysis.batch).turn
    return answer


def _run(analysis: Analysis, schedule: Schedule, parts: Parts, label: str) -> dict[str, Any]:
    """A run: the moments that a picture shows, the peak, and the parts of memory at the largest moment."""
    batch = analysis.batch
    run = schedule.of_batch(batch)
    timeline, roles = run.live(batch), alive_by_role(run, batch)
    if not timeline:
        raise ArchcalcError(f"{analysis.network.full_name} has no layers to run")
    peak = run.peak_moment(batch)
    moments = [
        [at, run.moments[at].node, run.moments[at].operator, timeline[at], [alive[at] for alive in roles.values()]]
        for at in sorted({*shown_moments(timeline, SAMPLES), peak})
    ]
    return {
        "moments": moments,
        "count": len(timeline),
        "roles": list(roles),
        "peak": {
            "at": peak,
            "bytes": timeline[peak],
            "layer": run.moments[peak].node,
            "operator": run.moments[peak].operator,
            "phase": run.moments[peak].phase,
        },
        "parts": [{"key": key, "title": part_title(key), "bytes": size} for key, size in parts._asdict().items()],
        "total": parts.total,
        "lines": [sum_text(label, parts)],
    }
