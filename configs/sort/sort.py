_base_ = "../_base_/trackers/sort.py"
