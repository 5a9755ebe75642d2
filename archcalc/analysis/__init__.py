"""The numbers of a network: rows, totals and folds, for one input or for arrays of inputs."""

from archcalc.analysis.analysis import Analysis
from archcalc.analysis.prepare import analyze, prepared

__all__ = ["Analysis", "analyze", "prepared"]
