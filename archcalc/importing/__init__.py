"""Files of other tools as trees of a spec: networks of Caffe (.prototxt) and of darknet (.cfg).

A parser reads the text of a format, and the rules of the format add steps to a ``Graph``. The tree has the lines of
the file, and the language reads it like the tree of a spec: every check names the file's own line.
"""
