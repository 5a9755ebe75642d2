"""One module for each command: its arguments, its options, an example, and the function that runs.

To add a command, write a module here with a ``COMMAND``, and add its name to ``archcalc.cli.registry.NAMES``. The
parser, the help, completion and docs/cli.md then have the command too.
"""
