"""Network to numbers: rows, totals and folds, for one input or for arrays of them."""

from archcalc.analysis.analysis import Analysis
from archcalc.analysis.prepare import analyze, prepared

__all__ = ["Analysis", "analyze", "prepared"]
