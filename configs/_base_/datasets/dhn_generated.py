# Distance matrices made on the fly, without any data: as many an epoch as the paper has. Simulated
# crowds (sizes and distances as of real ones), uniform random matrices, and those of SynthMOT where
# they have been made:
#     python tools/dataset_converters/make_dhn_matrices.py --synthmot default
# Validation and test: fixed generated matrices. To test on others:
#     --cfg-options test_dataloader.dataset.datasets=[FILE.npz]
batches = dict(type="SizeBatchSampler", max_entries=65536)
in_order = dict(type="ResumableSampler", shuffle=False, round_up=False)

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="ResumableSampler"),
    batch_sampler=batches,
    collate_fn=dict(type="pad_matrices"),
    dataset=dict(
        type="MixedMatrices",
        length=114483,
        weights=[0.7, 0.2, 0.1],
        datasets=[
            dict(type="CrowdMatrices", length=114483),
            dict(type="RandomMatrices", length=114483, max_side=100),
            dict(
                type="MatrixFileDataset",
                path="data/dhn/synthmot.npz",
                permute=True,
                optional=True,
            ),
        ],
    ),
)
held_out = dict(
    batch_size=64,
    num_workers=2,
    sampler=in_order,
    batch_sampler=batches,
    collate_fn=dict(type="pad_matrices"),
)
val_dataloader = dict(
    **held_out,
    persistent_workers=True,
    dataset=dict(
        type="MixedMatrices",
        datasets=[
            dict(type="CrowdMatrices", length=800, seed=1),
            dict(type="RandomMatrices", length=200, max_side=50, seed=1, gates=dict(none=1.0)),
        ],
    ),
)
test_dataloader = dict(
    **held_out,
    dataset=dict(
        type="MixedMatrices",
        datasets=[
            dict(type="CrowdMatrices", length=2000, seed=2),
            dict(type="RandomMatrices", length=300, max_side=100, seed=2, gates=dict(none=1.0)),
        ],
    ),
)
val_evaluator = dict(type="AssignmentMetric")
test_evaluator = dict(type="AssignmentMetric")
