"""What a rule of a format raises. The texts are sentences; the importer adds the place in the file."""

from __future__ import annotations


class WrongValueError(ValueError):
    """A value of the file that is not of its kind."""


class MissingError(ValueError):
    """A layer of the file that has no counterpart."""
