# On from the weights of dhn_seq_gru_short_on.py, mostly with centre distances, which the published
# matrices hold: the last step to what comes with the package, made three times with falling rates
# (the file of the weights says how).
#     --cfg-options load_from=work_dirs/dhn_seq_gru_short_on/epoch_1.pth
_base_ = "dhn_seq_gru_short_on.py"
length = 20000
crowd = dict(
    type="CrowdMatrices",
    length=length,
    transposed=0.1,
    distances=dict(centre=0.8, diagonal=0.12, exponential=0.08),
)
optim_wrapper = dict(optimizer=dict(lr=3e-4), clip_grad=dict(max_norm=0.04))
train_dataloader = dict(
    dataset=dict(
        length=length,
        weights=[0.6, 0.24, 0.08, 0.08],
        datasets=[
            dict(**crowd, max_side=16, seed=30),
            dict(**crowd, max_side=32, seed=40),
            dict(**crowd, max_side=110, seed=50),
            dict(type="RandomMatrices", length=length, max_side=16, seed=30),
        ],
    ),
)
