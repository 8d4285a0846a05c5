_base_ = "../_base_/trackers/ocsort_code.py"
