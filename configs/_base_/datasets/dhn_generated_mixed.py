# dhn_generated.py in small batches of mostly small matrices, but of all sizes: on a CPU a
# recurrence learns more from many steps than from large ones.
_base_ = "dhn_generated.py"
length = 40000
train_dataloader = dict(
    batch_size=12,
    batch_sampler=dict(max_entries=12288),
    dataset=dict(
        length=length,
        weights=[0.6, 0.2, 0.06, 0.14],
        datasets=[
            dict(type="CrowdMatrices", length=length, max_side=16),
            dict(type="CrowdMatrices", length=length, max_side=32, seed=10),
            dict(type="CrowdMatrices", length=length, max_side=110, seed=20),
            dict(type="RandomMatrices", length=length, max_side=16),
        ],
    ),
)
