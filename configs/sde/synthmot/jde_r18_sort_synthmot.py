# The small JDE, whose embeddings are not used, linked by SORT; trains the detector.
_base_ = ["../../_base_/sde/jde_r18_synthmot.py", "../../_base_/trackers/sort.py"]
model = dict(tracker=_base_.tracker)
