"""Registries of mmdeepmot.

Every registry that mmdet has too is a child of mmdet's, so that configs and mmdet's own
components find each other without a scope prefix (a component of mmdet that builds a part of
its own, such as ``GaussianFocalLoss``, looks it up in the default scope first and in the parents
after that). Nothing here imports torch or mmdet's models: the ``locations`` are imported when a
component is first looked up.

``TRACKERS``, ``STEPS``, ``COSTS``, ``MOTIONS``, ``CAMERAS`` and ``MEMORIES`` hold the numpy side,
which knows no network.
"""

from importlib import import_module

from mmdet.registry import DATA_SAMPLERS as MMDET_DATA_SAMPLERS
from mmdet.registry import DATASETS as MMDET_DATASETS
from mmdet.registry import EVALUATOR as MMDET_EVALUATOR
from mmdet.registry import HOOKS as MMDET_HOOKS
from mmdet.registry import LOOPS as MMDET_LOOPS
from mmdet.registry import METRICS as MMDET_METRICS
from mmdet.registry import MODEL_WRAPPERS as MMDET_MODEL_WRAPPERS
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMDET_OPTIM_WRAPPER_CONSTRUCTORS
from mmdet.registry import OPTIM_WRAPPERS as MMDET_OPTIM_WRAPPERS
from mmdet.registry import OPTIMIZERS as MMDET_OPTIMIZERS
from mmdet.registry import PARAM_SCHEDULERS as MMDET_PARAM_SCHEDULERS
from mmdet.registry import RUNNERS as MMDET_RUNNERS
from mmdet.registry import TASK_UTILS as MMDET_TASK_UTILS
from mmdet.registry import TRANSFORMS as MMDET_TRANSFORMS
from mmdet.registry import VISBACKENDS as MMDET_VISBACKENDS
from mmdet.registry import VISUALIZERS as MMDET_VISUALIZERS
from mmdet.registry import WEIGHT_INITIALIZERS as MMDET_WEIGHT_INITIALIZERS
from mmengine.registry import LOG_PROCESSORS as MMENGINE_LOG_PROCESSORS
from mmengine.registry import Registry

SCOPE = "mmdeepmot"


class NumpyRegistry(Registry):
    """A registry that finds its components without torch.

    mmengine's logs what it finds, at level DEBUG, and its logger imports torch.
    """

    def import_from_location(self) -> None:
        """Import the modules that register components."""
        for location in self._locations:
            import_module(location)

    def get(self, key: str) -> type | None:
        """The component of this name; None if there is none."""
        self.import_from_location()
        return self._module_dict.get(key) or super().get(key)


def _child(name: str, parent: Registry, location: str) -> Registry:
    return Registry(name, parent=parent, scope=SCOPE, locations=[location])


def _numpy(name: str, location: str) -> Registry:
    return NumpyRegistry(name, scope=SCOPE, locations=[location])


MODELS = _child("model", MMDET_MODELS, "mmdeepmot.models")
TASK_UTILS = _child("task util", MMDET_TASK_UTILS, "mmdeepmot.models")
DATASETS = _child("dataset", MMDET_DATASETS, "mmdeepmot.datasets")
TRANSFORMS = _child("transform", MMDET_TRANSFORMS, "mmdeepmot.datasets.transforms")
DATA_SAMPLERS = _child("data sampler", MMDET_DATA_SAMPLERS, "mmdeepmot.engine")
METRICS = _child("metric", MMDET_METRICS, "mmdeepmot.evaluation.metrics")
HOOKS = _child("hook", MMDET_HOOKS, "mmdeepmot.engine")
LOOPS = _child("loop", MMDET_LOOPS, "mmdeepmot.engine")
RUNNERS = _child("runner", MMDET_RUNNERS, "mmdeepmot.engine")
OPTIM_WRAPPERS = _child("optimizer wrapper", MMDET_OPTIM_WRAPPERS, "mmdeepmot.engine")
MODEL_WRAPPERS = _child("model_wrapper", MMDET_MODEL_WRAPPERS, "mmdeepmot.engine")
VISUALIZERS = _child("visualizer", MMDET_VISUALIZERS, "mmdeepmot.visualization.track_visualizer")
OPTIMIZERS = _child("optimizer", MMDET_OPTIMIZERS, "mmdeepmot.engine")
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    "optimizer constructor", MMDET_OPTIM_WRAPPER_CONSTRUCTORS, "mmdeepmot.engine"
)
PARAM_SCHEDULERS = _child("parameter scheduler", MMDET_PARAM_SCHEDULERS, "mmdeepmot.engine")
WEIGHT_INITIALIZERS = _child("weight initializer", MMDET_WEIGHT_INITIALIZERS, "mmdeepmot.models")
EVALUATOR = _child("evaluator", MMDET_EVALUATOR, "mmdeepmot.evaluation")
VISBACKENDS = _child("vis_backend", MMDET_VISBACKENDS, "mmdeepmot.visualization")
LOG_PROCESSORS = _child("log_processor", MMENGINE_LOG_PROCESSORS, "mmdeepmot.engine")

TRACKERS = _numpy("tracker", "mmdeepmot.trackers")
STEPS = _numpy("tracker step", "mmdeepmot.trackers")
COSTS = _numpy("association cost", "mmdeepmot.association")
MOTIONS = _numpy("motion model", "mmdeepmot.motion")
CAMERAS = _numpy("camera motion", "mmdeepmot.motion")
MEMORIES = _numpy("appearance memory", "mmdeepmot.trackers")
