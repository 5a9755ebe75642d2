"""The command line: argument parsing alone; each command is a few lines over the library."""

from archcalc.cli.main import main, program

__all__ = ["main", "program"]
