"""Files of the field: MOTChallenge text, sequence folders, images, video."""

from mmdeepmot.io.image import ImageError, image_size, read_image
from mmdeepmot.io.mot import (
    MOT_CLASSES,
    MOTRows,
    SequenceInfo,
    read_mot_text,
    read_seqinfo,
    write_mot_text,
)

__all__ = [
    "MOT_CLASSES",
    "ImageError",
    "MOTRows",
    "SequenceInfo",
    "image_size",
    "read_image",
    "read_mot_text",
    "read_seqinfo",
    "write_mot_text",
]
