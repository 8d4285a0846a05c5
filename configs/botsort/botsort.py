_base_ = "../_base_/trackers/botsort.py"
