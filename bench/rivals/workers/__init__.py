"""One script a framework; each is started in a process of its own, under the interpreter that has the framework.

A worker imports its framework, NumPy, ``worker`` and its own models with branches (``…_graphs``), and nothing else of
this repository.
"""
