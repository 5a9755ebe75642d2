"""One module per command: its arguments, its own options, an example, and what it does.

A new command is a module here with a ``COMMAND``, and its name in ``archcalc.cli.registry.NAMES``. The parser, the help,
completion and docs/cli.md follow.
"""
