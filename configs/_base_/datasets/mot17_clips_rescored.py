# mot17_clips.py scored with public detections that have fewer false positives, as the paper's
# single-object trackers are (Appendix A.2). The files, from a trained Faster R-CNN:
#     python tools/dataset_converters/rescore_detections.py \
#         configs/deepmot/detector/faster_rcnn_r50_mot17.py CHECKPOINT data/MOT17/train
# As they are: --cfg-options test_dataloader.dataset.with_detections=det/det.txt (in training val_)
_base_ = "mot17_clips.py"
val_dataloader = dict(dataset=dict(with_detections="det/rescored.txt"))
test_dataloader = val_dataloader
