"""NumPy twins of the compiled kernels: the same functions and signatures, written to be read.

Every public name of every module in this package is re-exported here.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    if not _module.name.startswith("_"):
        _family = importlib.import_module(f"{__name__}.{_module.name}")
        globals().update({_name: getattr(_family, _name) for _name in _family.__all__})
