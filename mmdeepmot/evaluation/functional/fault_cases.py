"""One fault each, in two frames: what a loss must mend is seen, and tested, on these."""

import numpy as np

from mmdeepmot.evaluation.functional.faulty_scenes import BoxScene, Floats

IMAGE_SIZE = (320, 180)

_STANDING = (40.0, 110.0)
"""Width and height px of a person."""


def fault_cases() -> dict[str, BoxScene]:
    """Scenes of two objects and two tracks by the fault that they have in their second frame.

    In the first frame track 0 is on object 0 and track 1 on object 1.

    - ``'FP'``: track 1 has slid off its object, to the side. It is a false alarm.
    - ``'FN'``: the box of track 1 holds the upper third of its object, which is so missed.
    - ``'IDS'``: the objects meet, and the tracks exchange them.

    A box that is no match is both a false alarm and a miss: the first two are one fault in two
    shapes.
    """
    left, right = _person(70, 100), _person(190, 100)
    first, second = _person(130, 102), _person(184, 94)
    return {
        "FP": _scene((left, right), (left, _by(right, 25, 4, 25, 4))),
        "FN": _scene((left, right), (left, _by(right, 4, 3, -4, -68))),
        "IDS": _scene((first, second), (_by(second, -6, 3, -4, 4), _by(first, 5, -4, 4, -5))),
    }


def _by(bboxes: Floats, *px: float) -> Floats:
    """A box with its four edges moved."""
    return bboxes + np.array(px)


def _person(x: float, y: float) -> Floats:
    """A box ``(4,)`` xyxy px around a centre."""
    width, height = _STANDING
    return np.array((x - width / 2, y - height / 2, x + width / 2, y + height / 2))


def _scene(objects: tuple[Floats, Floats], tracks: tuple[Floats, Floats]) -> BoxScene:
    """Two frames; in the first the tracks are on their objects."""
    before = np.stack(objects)
    ids = np.broadcast_to(np.arange(2), (2, 2)).copy()
    return BoxScene(
        IMAGE_SIZE,
        ids,
        np.stack((before, np.stack(tracks))),
        ids.copy(),
        np.stack((before, before)),
    )
