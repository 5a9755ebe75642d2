"""How far a unit sees: receptive fields along an axis, through a network, of one unit, and what they mean at an input."""
