_base_ = "../_base_/trackers/botsort_reid.py"
