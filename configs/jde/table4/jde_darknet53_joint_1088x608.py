# Table 4: MOT16's test videos at 1088x608. For the server, with frames a second of detector (FPSD),
# association (FPSA) and both:
#     python tools/test.py THIS_CONFIG --format-only --out FOLDER
_base_ = "../jde_darknet53_joint.py"
work_dir = "work_dirs/jde_darknet53_joint"
test_dataloader = dict(
    dataset=dict(
        data_root="data/MOT16/test",
        sequences=None,
        require_gt=False,
        clip_length=1,  # frames/s as online
    ),
)
