# The small Cascade R-CNN on SynthMOT.
_base_ = ["../models/cascade_rcnn_r18.py", "synthmot_small.py"]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
model = dict(
    type="TrackingModel",
    data_preprocessor=dict(type="MOTDataPreprocessor", channels_last=True),
    detector=dict(type="BoxDetector", detector=_base_.rcnn),
)
