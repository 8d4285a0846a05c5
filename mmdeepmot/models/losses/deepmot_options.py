"""Parameters of the DeepMOT loss."""

from dataclasses import dataclass
from typing import Literal, get_args

from mmdeepmot.errors import InputError

SwitchRule = Literal["clear", "literal"]
PreciseOver = Literal["matches", "kept"]


@dataclass(frozen=True)
class DeepMOTOptions:
    """Parameters of the DeepMOT loss; by default the paper's, with sharpened softmaxes.

    Attributes:
        delta: Value of the assignment at which a track or an object is alone.
        gamma: Weight of a switch in dMOTA; MOTA's is 1, and 0 leaves switches out.
        accuracy_weight: Weight of ``1 - dMOTA``.
        precision_weight: Weight of ``1 - dMOTP``, the paper's lambda.
        sharpness: Factor before the softmaxes, their inverse temperature. Larger: counts nearer to
            whole numbers; smaller: gradients from clearer cases. 1: as printed; the published code
            has 10 and 100.
        switches: What a switch is. ``'clear'``: what the CLEAR MOT metrics count. ``'literal'``:
            Eq. 6 as printed. See
            :func:`~mmdeepmot.models.losses.deepmot_history.switched_pairs`.
        precise_over: ``'matches'``: dMOTP is over all matches, as MOTP; it so draws a track to the
            object that it has wrongly taken over, against what IDS asks for. ``'kept'``: over the
            matches that are no switches.
        gate: Distance at which a pair is half as good as the matcher says: assignments are
            multiplied by ``sigmoid((gate - D) / gate_width)``. For matchers that pair what is far
            apart, too; 0.25 is about an IoU of 0.5. None (the paper): no gate.
        gate_width: Width of the gate's edge.

    Raises:
        InputError: If one is out of range.
    """

    delta: float = 0.5
    gamma: float = 2.0
    accuracy_weight: float = 1.0
    precision_weight: float = 5.0
    sharpness: float = 10.0
    switches: SwitchRule = "clear"
    precise_over: PreciseOver = "matches"
    gate: float | None = None
    gate_width: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.delta < 1:
            raise InputError(f"delta must lie between 0 and 1, got {self.delta}")
        for name in ("sharpness", "gate_width"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in ("gamma", "accuracy_weight", "precision_weight"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.gate is not None and not 0 < self.gate <= 1:
            raise InputError(f"gate must be a distance in (0, 1] or None, got {self.gate}")
        for name, choices in (("switches", SwitchRule), ("precise_over", PreciseOver)):
            if getattr(self, name) not in get_args(choices):
                raise InputError(
                    f"{name} must be one of {get_args(choices)}, got {getattr(self, name)!r}"
                )
