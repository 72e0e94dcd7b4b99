"""What the examples of docstrings leave out: modules that subclass a library's classes, where it is not installed."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("sklearn") else ["fastnn/interop/sklearn/*.py"]
