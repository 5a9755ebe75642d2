"""The command line. It only parses arguments: each command is a few lines that call the library."""

from archcalc.cli.main import main, program

__all__ = ["main", "program"]
