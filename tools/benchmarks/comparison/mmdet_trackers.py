"""mmdet's own trackers, fed with detections instead of a network's output."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from comparison.contender import Contender, Unavailable
from comparison.scenes import Scene

#: As mmdet's configs for MOT17 have them (configs/sort, bytetrack, ocsort there).
_CONFIGS: dict[str, dict[str, Any]] = {
    "sort": dict(type="SORTTracker", obj_score_thr=0.5, match_iou_thr=0.5, reid=None),
    "bytetrack": dict(
        type="ByteTracker",
        obj_score_thrs=dict(high=0.6, low=0.1),
        init_track_thr=0.7,
        weight_iou_with_det_scores=True,
        match_iou_thrs=dict(high=0.1, low=0.5, tentative=0.3),
        num_frames_retain=30,
    ),
    "ocsort": dict(
        type="OCSORTTracker",
        obj_score_thr=0.3,
        init_track_thr=0.7,
        weight_iou_with_det_scores=True,
        match_iou_thr=0.3,
        num_tentatives=3,
        vel_consist_weight=0.2,
        vel_delta_t=3,
        num_frames_retain=30,
    ),
}
MMDET_METHODS = tuple(_CONFIGS)


def _version() -> str:
    for name in ("onedl-mmdetection", "mmdet"):
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "mmdet"


class MMDetContender(Contender):
    """A tracker of mmdet by the name of our method, with the parameters of mmdet's config."""

    def __init__(self, method: str) -> None:
        import mmdeepmot.ops  # noqa: F401 - before mmdet

        try:
            import torch
            from mmdet.registry import MODELS
            from mmdet.utils import register_all_modules

            register_all_modules(init_default_scope=False)
            torch.set_num_threads(1)
            self._build = lambda: MODELS.build(dict(_CONFIGS[method], motion=_KALMAN))
            self._build()
        except (ImportError, RuntimeError) as error:
            raise Unavailable(f"{_version()}: {' '.join(str(error).split())}") from error
        self.name = _version()

    def prepare(self, scene: Scene) -> list[Any]:
        import torch
        from mmdet.structures import DetDataSample
        from mmengine.structures import InstanceData

        samples = []
        for index, frame in enumerate(scene.frames):
            found = frame.detections
            sample = DetDataSample(metainfo={"frame_id": index})
            sample.pred_instances = InstanceData(
                bboxes=torch.from_numpy(found.bboxes).float(),
                scores=torch.from_numpy(found.scores).float(),
                labels=torch.from_numpy(found.labels),
            )
            samples.append(sample)
        return samples

    def start(self, scene: Scene) -> Callable[[Any], Any]:
        tracker = self._build()
        return lambda sample: tracker.track(model=None, img=None, data_sample=sample)


_KALMAN = dict(type="KalmanFilter")
