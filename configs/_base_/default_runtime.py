"""What all runs have in common: hooks, logging, seeds, environment.

Scalars also to TensorBoard or wandb:
    --cfg-options visualizer.vis_backends.0.type=TensorboardVisBackend    (or WandbVisBackend)
or both, in a config:
    visualizer = dict(vis_backends=[dict(type='LocalVisBackend'), dict(type='WandbVisBackend')])
Averaged weights (EMA), in a config:
    custom_hooks = [*_base_.custom_hooks, dict(type='MovingAverageHook', momentum=2e-4)]
"""

default_scope = "mmdeepmot"

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50, first=5),
    param_scheduler=dict(type="ParamSchedulerHook"),
    # epoch_N.pth after each epoch; latest.pth every 10 minutes in between
    checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=3, latest_minutes=10.0),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    # statistics of batch normalisation: the mean of all processes at the end of each epoch
    sync_statistics=dict(type="SyncStatisticsHook"),
)
custom_hooks = [
    dict(type="ExactResumeHook"),
    dict(type="IterationSeedHook"),
    dict(type="CheckpointFitHook"),
    dict(type="IdentityCountHook"),
    dict(type="NonFiniteLossHook"),
    dict(type="InterruptHook"),
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)

vis_backends = [dict(type="LocalVisBackend")]
visualizer = dict(type="TrackVisualizer", vis_backends=vis_backends, name="visualizer")

log_processor = dict(
    type="LogProcessor",
    window_size=50,
    by_epoch=True,
    mean_pattern=r"^(?!w/).*(loss|time|grad_norm|cls|box|id|hm|size|off|dMOT|FP|FN|IDS).*",
)
log_level = "INFO"
randomness = dict(seed=0)

load_from = None
resume = False
