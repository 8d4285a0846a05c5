_base_ = "../_base_/trackers/jde_paper.py"
