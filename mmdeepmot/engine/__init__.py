"""Running: samplers, hooks, loops, optimizer wrappers, checkpoints, configs.

Importing it registers them and makes every checkpoint loader safe (``checkpoint.py``).
"""

from . import checkpoint, hooks, loops, optim, runner, samplers, schedulers

__all__ = ["checkpoint", "hooks", "loops", "optim", "runner", "samplers", "schedulers"]
