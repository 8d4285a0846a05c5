_base_ = "../_base_/trackers/fairmot.py"
