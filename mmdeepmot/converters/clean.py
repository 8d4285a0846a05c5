"""Which boxes of an image can be kept."""

import numpy as np

from mmdeepmot.converters.source import UNKNOWN, Picture, Targets


def clean_targets(picture: Picture, size: tuple[int, int]) -> tuple[Targets, list[str]]:
    """The usable boxes of an image, and what is wrong with the others.

    Boxes that are not finite, have no area or lie wholly outside the image are left out. Of
    several boxes of one identity the first keeps it; the others stay, their identity unknown.

    Args:
        picture: The image.
        size: Its (width, height) px.

    Returns:
        The boxes that stay, and a message for each one that was changed or left out.
    """
    targets = picture.targets
    boxes = targets.bboxes
    finite = np.isfinite(boxes).all(axis=1)
    with np.errstate(invalid="ignore"):
        positive = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        meets = ((boxes[:, 2:] > 0) & (boxes[:, :2] < np.array(size))).all(axis=1)
    problems: dict[int, str] = {}
    for bad, message in (
        (~finite, "expected finite coordinates"),
        (~positive, "expected a box of positive width and height"),
        (~meets, f"expected a box that meets the image of {size[0]}x{size[1]} px"),
    ):
        for row in np.flatnonzero(bad).tolist():
            problems.setdefault(row, f"{message}, got xyxy {boxes[row].tolist()}: left out")
    good = finite & positive & meets
    identities = np.where(targets.ignore, UNKNOWN, targets.identities)
    known = np.flatnonzero(good & (identities >= 0))
    again = np.ones(len(known), dtype=bool)
    again[np.unique(identities[known], return_index=True)[1]] = False
    for row in known[again].tolist():
        problems[row] = (
            f"identity {identities[row]} is there more than once: the box at xyxy "
            f"{boxes[row].tolist()} is kept without identity"
        )
        identities[row] = UNKNOWN
    kept = Targets(
        boxes[good],
        targets.labels[good],
        identities[good],
        targets.ignore[good],
        np.clip(targets.visibility[good], 0, 1),
    )
    where = picture.where or picture.name
    return kept, [f"{where}: {picture.name}: {problems[row]}" for row in sorted(problems)]
