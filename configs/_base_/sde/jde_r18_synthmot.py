# The small JDE on SynthMOT, as configs/jde/jde_r18_synthmot.py trains it.
_base_ = ["../models/jde_r18_slim.py", "synthmot_small.py"]
model = dict(detector=dict(test_cfg=dict(score_thr=0.7)))
