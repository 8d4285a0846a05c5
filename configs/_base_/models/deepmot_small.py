# DeepMOT training of the small followers, which tell people apart at 20 px and are pre-trained.
# - A start a quarter of a box away, as the paper has it, often lies on the neighbour: these are as
#   far off as the sequences' public detections, about.
# - Most boxes lie near their people already: the gate is that of the metric, IoU 0.5 (0.25).
# - One start of seven people tells a matcher little about who is whose: clips have eight.
_base_ = "deepmot.py"
gate = dict(gate=0.25, gate_width=0.05)
deepmot = dict(loss=gate)
smooth_l1 = dict(monitor=deepmot)
model = dict(
    criterion=deepmot,
    start=dict(scale=(0.9, 1.1), shift=(0.0, 0.1)),
    starts_per_clip=8,
)
