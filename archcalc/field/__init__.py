"""Receptive fields: along one axis, of all layers of a network, of one unit, and the field summary at an input."""
