"""Our trackers beside the same methods in other packages: scenes, contenders, tables.

The command is ``tools/benchmarks/packages.py``.
"""
