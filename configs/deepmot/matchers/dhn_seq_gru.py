# The paper's Deep Hungarian Net, which is to be trained first (configs/dhn). Its weights:
#     --cfg-options model.criterion.matcher.pretrained=FILE.safetensors
_base_ = "../tracktor_r18_synthmot_deepmot.py"
model = dict(
    criterion=dict(
        matcher=dict(_delete_=True, type="DHN", order="sequential", cell="gru", pretrained=False)
    )
)
