"""Published figures, recomputed and judged.

``figures`` reads them from the data, ``quantities`` and ``formula`` compute them, ``verdict`` judges them.
"""
