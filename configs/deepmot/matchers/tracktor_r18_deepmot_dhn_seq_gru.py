# The paper's Deep Hungarian Net with the weights that come with the package.
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(
    criterion=dict(
        matcher=dict(_delete_=True, type="DHN", order="sequential", cell="gru", pretrained=True)
    )
)
