# FairMOT as in the paper, with DLA-34 at 1088x608, from scratch, on SynthMOT (made on first use).
_base_ = [
    "../_base_/models/fairmot_dla34.py",
    "../_base_/datasets/synthmot.py",
    "../_base_/schedules/fairmot_30e.py",
    "../_base_/trackers/fairmot.py",
    "../_base_/default_runtime.py",
]
train_dataloader = dict(batch_size=2)  # accumulated to the paper's 12
model = dict(tracker=_base_.tracker)
