"""Learning rate schedules that mmengine lacks."""

from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler

from mmdeepmot.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class PowerWarmupLR(LRSchedulerMixin, _ParamScheduler):
    """Warm-up by a power: iteration i has ``base * (i / n)^power``, i = 0 … n.

    JDE's published schedule has n = min(1000, batches an epoch) and power 4:
    ``dict(type='PowerWarmupLR', end=1000, convert_to_iter_based=True)``.

    Args:
        optimizer: Optimizer or its wrapper.
        power: The power.
        begin: Iteration that has the rate 0.
        end: Iteration that has the full rate.
        last_step: Part of mmengine's protocol, as are the others.
        by_epoch: Must be False (``convert_to_iter_based=True`` sees to it).
        verbose: Whether every change is logged.
    """

    def __init__(
        self,
        optimizer: Any,
        power: float = 4.0,
        begin: int = 0,
        end: int = INF,
        last_step: int = -1,
        by_epoch: bool = False,
        verbose: bool = False,
    ) -> None:
        if by_epoch:
            raise ValueError("PowerWarmupLR counts iterations: set convert_to_iter_based=True")
        if end <= begin:
            raise ValueError(f"PowerWarmupLR needs begin < end, got {begin} and {end}")
        self.power = power
        self.length = end - begin
        super().__init__(
            optimizer,
            begin=begin,
            end=end + 1,
            last_step=last_step,
            by_epoch=False,
            verbose=verbose,
        )

    @classmethod
    def build_iter_from_epoch(
        cls,
        optimizer: Any,
        begin: int = 0,
        end: int = INF,
        by_epoch: bool = True,
        epoch_length: int | None = None,
        **kwargs: Any,
    ) -> "PowerWarmupLR":
        """Counts iterations from the start, and ends with the first epoch at the latest."""
        if not epoch_length:
            raise ValueError(f"epoch_length must be a positive integer, got {epoch_length}")
        return cls(optimizer, begin=begin, end=min(end, begin + epoch_length), **kwargs)

    def _get_value(self) -> list[float]:
        factor = (min(self.last_step, self.length) / self.length) ** self.power
        return [base * factor for base in self.base_values]
