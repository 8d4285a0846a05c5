# dhn_generated.py with fewer and smaller matrices: what a recurrence can go through on a CPU. Sides
# begin at 3 and grow.
_base_ = "dhn_generated.py"
length = 90000
train_dataloader = dict(
    batch_size=48,
    batch_sampler=dict(max_entries=12288, grow_from=3, grow_iters=1200),
    dataset=dict(
        length=length,
        weights=[0.8, 0.2],
        datasets=[
            dict(type="CrowdMatrices", length=length, max_side=32),
            dict(type="RandomMatrices", length=length, max_side=16),
        ],
    ),
)
