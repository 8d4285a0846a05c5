# The paper's best Tracktor on MOT17: with an appearance head that learns with it (+ReIDhead), by
# the paper's matcher and loss (deepmot_paper.py).
_base_ = ["tracktor_r50_mot17_reidhead.py", "../_base_/models/deepmot_paper.py"]
model = dict(
    criterion=dict(_delete_=True, **_base_.paper_criterion, appearance="term"),
    births=False,
    deaths=False,
)
