# SynthMOT at 1088x608 (generated on first use): 6 training and 2 held-out sequences of 120 frames.
_base_ = "mot_challenge.py"
recipe = "default"
train_dataloader = dict(
    dataset=dict(type="SynthMOTDataset", split="train", data_root="data/synthmot", recipe=recipe),
)
val_dataloader = dict(
    dataset=dict(type="SynthMOTDataset", split="test", data_root="data/synthmot", recipe=recipe),
)
test_dataloader = val_dataloader
