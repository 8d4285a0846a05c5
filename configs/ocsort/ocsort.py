_base_ = "../_base_/trackers/ocsort.py"
