"""The live page: a spec is edited in a browser, and every number follows.

``calculator`` answers the questions of the page, plain data in and plain data out. It runs in the server of
``archcalc live`` and, unchanged, in a browser. ``server`` serves the page on this machine.
"""
