"""Search of tracker parameters on detections: spaces, samplers, a log that survives Ctrl-C."""

from mmdeepmot.apis.search.evaluation import Evaluation, Task
from mmdeepmot.apis.search.log import Trial, TrialLog
from mmdeepmot.apis.search.metric import Metric
from mmdeepmot.apis.search.report import plot_search, trials_text, write_best
from mmdeepmot.apis.search.run import run_search
from mmdeepmot.apis.search.samplers import BayesianSampler, GridSampler, Sampler
from mmdeepmot.apis.search.space import Choice, Parameter, Range, grid, parse_parameters

__all__ = [
    "BayesianSampler",
    "Choice",
    "Evaluation",
    "GridSampler",
    "Metric",
    "Parameter",
    "Range",
    "Sampler",
    "Task",
    "Trial",
    "TrialLog",
    "grid",
    "parse_parameters",
    "plot_search",
    "run_search",
    "trials_text",
    "write_best",
]
