# DeepMOT training of the small followers, which tell people apart at 20 px. A start a quarter of a
# box away, as the paper has it, often lies on the neighbour there: these are about as far off as
# the sequences' public detections.
_base_ = "deepmot.py"
model = dict(start=dict(scale=(0.9, 1.1), shift=(0.0, 0.1)))
