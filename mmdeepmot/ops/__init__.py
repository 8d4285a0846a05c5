"""What stands in for mmcv's compiled extension (``mmcv._ext``) where that is missing.

Three implementations of the operators that this framework reaches through mmcv and mmdet:

- ``mmcv``: the compiled extension; where present it is used untouched,
- ``torchvision``: its compiled operators, on GPUs, where it imports,
- ``torch``: plain PyTorch (:mod:`~mmdeepmot.ops.nms`, :mod:`~mmdeepmot.ops.roi_align`,
  :mod:`~mmdeepmot.ops.deform_conv`), which runs everywhere and is the faster one on the CPU.

:func:`backend` tells which one is in use, :func:`announce` writes it to the log, once.
Importing this package imports neither torch nor mmcv.
"""

from mmdeepmot.ops.selection import Backend, announce, backend
from mmdeepmot.ops.standin import install

__all__ = ["Backend", "announce", "backend", "install"]
