"""SynthMOT as a dataset: generated where it is first used."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import get_rank

from mmdeepmot.datasets.base import Transform
from mmdeepmot.datasets.mot_challenge import MOTChallengeDataset
from mmdeepmot.datasets.synthmot.generate import DEFAULT_ROOT, await_synthmot, ensure_synthmot
from mmdeepmot.datasets.synthmot.recipe import SPLITS, Recipe, Split
from mmdeepmot.errors import InputError
from mmdeepmot.registry import DATASETS


def _generates() -> bool:
    """Whether this process is the one of its machine that generates."""
    return int(os.environ.get("LOCAL_RANK", get_rank())) == 0


@DATASETS.register_module()
class SynthMOTDataset(MOTChallengeDataset):
    """A split of a SynthMOT set; the set is generated under ``data_root`` unless it is there.

    Under several processes the first one of a machine generates and the others wait. Test
    sequences show other people (looks from the same wardrobe), other streets and other cameras
    than training sequences.

    Args:
        split: 'train' or 'test'.
        data_root: Holds one folder a recipe.
        recipe: A preset ('default', 'small'), or changes to one:
            ``dict(preset='small', density=14)`` (see
            :class:`~mmdeepmot.datasets.synthmot.recipe.Recipe`).
        pipeline, sequences, kwargs: Of :class:`~mmdeepmot.datasets.mot_challenge.\
MOTChallengeDataset`.

    Raises:
        InputError: Unknown split or recipe, or the folder holds a set of another recipe.
    """

    def __init__(
        self,
        split: Split = "train",
        data_root: str | os.PathLike[str] = DEFAULT_ROOT,
        recipe: str | Recipe | Mapping[str, Any] = "default",
        pipeline: Sequence[dict | Transform] = (),
        *,
        sequences: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if split not in SPLITS:
            raise InputError(f"SynthMOT split must be one of {SPLITS}, got {split!r}")
        get = ensure_synthmot if _generates() else await_synthmot
        folder = get(recipe, data_root)
        kwargs.setdefault("name", f"SynthMOT {folder.name} {split}")
        super().__init__(folder / split, pipeline, sequences=sequences, **kwargs)
