"""mmdeepmot: JDE, FairMOT and DeepMOT as one framework of registered components.

Importing it is cheap: it makes the stand-in for mmcv's compiled operators available (needed
before anything of mmdet is imported, in spawned workers too) and no more.
"""

from mmdeepmot.ops import install

__version__ = "0.1.0"

install()
