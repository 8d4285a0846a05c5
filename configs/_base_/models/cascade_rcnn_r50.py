# Cascade R-CNN (Cai and Vasconcelos 2018): three heads one after the other, each trained on boxes
# that lie better (IoU 0.5, 0.6, 0.7) and regressing to smaller deviations.
_base_ = "rcnn_r50.py"
head, stage = _base_.rcnn.roi_head.bbox_head, _base_.rcnn.train_cfg.rcnn
rcnn = dict(
    type="CascadeRCNN",
    roi_head=dict(
        type="CascadeRoIHead",
        num_stages=3,
        stage_loss_weights=[1, 0.5, 0.25],
        bbox_head=[
            {
                **head,
                "bbox_coder": {**head.bbox_coder, "target_stds": stds},
                "reg_class_agnostic": True,
            }
            for stds in (
                (0.1, 0.1, 0.2, 0.2),
                (0.05, 0.05, 0.1, 0.1),
                (0.033, 0.033, 0.067, 0.067),
            )
        ],
    ),
    train_cfg=dict(
        rcnn=[
            {
                **stage,
                "assigner": {
                    **stage.assigner,
                    "pos_iou_thr": iou,
                    "neg_iou_thr": iou,
                    "min_pos_iou": iou,
                },
            }
            for iou in (0.5, 0.6, 0.7)
        ],
    ),
)
