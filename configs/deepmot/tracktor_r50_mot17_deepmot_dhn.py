# Tracktor on MOT17 by the paper's matcher and loss (deepmot_paper.py).
_base_ = ["tracktor_r50_mot17_deepmot.py", "../_base_/models/deepmot_paper.py"]
model = dict(
    criterion=dict(_delete_=True, **_base_.paper_criterion),
    births=False,
    deaths=False,
)
