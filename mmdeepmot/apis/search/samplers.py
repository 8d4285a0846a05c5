"""Which values to try next: a grid, or Bayesian optimisation by Optuna.

A sampler is a function of the trials so far: a search that was interrupted goes on as if it had
not been.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mmdeepmot.apis.search.log import Trial
from mmdeepmot.apis.search.space import Choice, Parameter, grid
from mmdeepmot.errors import InputError, MissingPackageError

if TYPE_CHECKING:
    import optuna

Suggestion = tuple[int, dict[str, Any]]
"""Number of a trial and its values by path."""


class Sampler(Protocol):
    """What proposes values."""

    @property
    def total(self) -> int:
        """Number of trials of the whole search."""

    def describe(self) -> dict[str, Any]:
        """What tells this search from another; a greater number of trials does not."""

    def ask(self, trials: Sequence[Trial], jobs: int) -> list[Suggestion]:
        """The next trials, of which ``jobs`` run at once; none: the search is done."""


@dataclass(frozen=True)
class GridSampler:
    """Every combination once.

    Attributes:
        parameters: What is searched.
        count: Values of a range without step.
    """

    parameters: Sequence[Parameter]
    count: int

    @property
    def total(self) -> int:
        return len(grid(self.parameters, self.count))

    def describe(self) -> dict[str, Any]:
        return {"method": "grid", "values": self.count}

    def ask(self, trials: Sequence[Trial], jobs: int) -> list[Suggestion]:
        done = {trial.number for trial in trials}
        points = enumerate(grid(self.parameters, self.count), 1)
        return [(number, values) for number, values in points if number not in done]


class BayesianSampler:
    """Tree-structured Parzen estimator (Bergstra et al. 2011) of Optuna, seeded.

    The first ten trials are random. Trials that run at once do not know of each other's score and
    are kept apart by a pessimistic guess of it.

    Args:
        parameters: What is searched.
        total: Number of trials.
        seed: Of the random numbers.

    Raises:
        InputError: ``total`` is below 1.
        MissingPackageError: Optuna is not installed.
    """

    def __init__(self, parameters: Sequence[Parameter], total: int, seed: int = 0) -> None:
        if total < 1:
            raise InputError(f"--trials must be at least 1, got {total}")
        if importlib.util.find_spec("optuna") is None:
            raise MissingPackageError(
                "a Bayesian search (--trials) needs the package optuna, which is not installed: "
                "pip install optuna, or search a grid (--grid)"
            )
        self.parameters = list(parameters)
        self.total = total
        self.seed = seed

    def describe(self) -> dict[str, Any]:
        return {"method": "bayesian", "seed": self.seed}

    def ask(self, trials: Sequence[Trial], jobs: int) -> list[Suggestion]:
        import optuna

        known = sorted((t for t in trials if t.number > 0), key=lambda trial: trial.number)
        done = {trial.number for trial in known}
        numbers = [number for number in range(1, self.total + 1) if number not in done][:jobs]
        if not numbers:
            return []
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        seed = np.random.SeedSequence([self.seed, numbers[0]]).generate_state(1)[0]
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=int(seed), constant_liar=len(numbers) > 1),
        )
        spaces = {parameter.path: _distribution(parameter) for parameter in self.parameters}
        study.add_trials([_told(trial, self.parameters, spaces) for trial in known])
        asked = [study.ask(spaces).params for _ in numbers]
        return [
            (number, {p.path: _value(p, values[p.path]) for p in self.parameters})
            for number, values in zip(numbers, asked, strict=True)
        ]


def _distribution(parameter: Parameter) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    space = parameter.space
    if isinstance(space, Choice):
        return CategoricalDistribution(list(range(len(space.values))))
    if space.integer:
        low, high, step = int(space.low), int(space.high), int(space.step or 1)
        return IntDistribution(low, high - (high - low) % step, log=space.log, step=step)
    return FloatDistribution(space.low, space.high, log=space.log, step=space.step)


def _value(parameter: Parameter, told: Any) -> Any:
    """The value that stands for Optuna's: of a choice it knows the index, and six digits do."""
    space = parameter.space
    if isinstance(space, Choice):
        return space.values[told]
    return told if space.integer else min(max(float(f"{told:.6g}"), space.low), space.high)


def _told(
    trial: Trial,
    parameters: Sequence[Parameter],
    spaces: dict[str, "optuna.distributions.BaseDistribution"],
) -> "optuna.trial.FrozenTrial":
    import optuna

    values = {}
    for parameter in parameters:
        value = trial.parameters[parameter.path]
        space = parameter.space
        values[parameter.path] = space.values.index(value) if isinstance(space, Choice) else value
    failed = trial.score is None
    return optuna.trial.create_trial(
        params=values,
        distributions=spaces,
        value=trial.score,
        state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
    )
