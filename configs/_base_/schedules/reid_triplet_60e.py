# Hermans et al. 2017, Sec. 4.2: Adam, 3e-4; after three fifths of the training the rate falls
# exponentially to a thousandth.
_base_ = "reid_60e.py"
optim_wrapper = dict(_delete_=True, type="OptimWrapper", optimizer=dict(type="Adam", lr=3e-4))
param_scheduler = [
    dict(type="ExponentialLR", gamma=0.001 ** (1 / 24), begin=36, end=60),
]
