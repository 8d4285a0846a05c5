"""One-shot detectors as ONNX files: network and decoding, for any number of images at once.

- :mod:`.network`: a detector as a module that can be traced;
- :mod:`.deform_conv`: deformable convolutions by operators that ONNX has;
- :mod:`.suppression`: non-maximum suppression by ONNX's operator;
- :mod:`.write`: the file;
- :mod:`.compare`: torch and ONNX Runtime on the same images.

:class:`~mmdeepmot.models.detectors.onnx_detector.OnnxDetector` runs the file inside a tracker.
"""

from mmdeepmot.apis.export.compare import (
    Differences,
    compare,
    example_images,
    with_all_candidates,
)
from mmdeepmot.apis.export.network import exportable
from mmdeepmot.apis.export.write import export_detector, input_size

__all__ = [
    "Differences",
    "compare",
    "example_images",
    "export_detector",
    "exportable",
    "input_size",
    "with_all_candidates",
]
