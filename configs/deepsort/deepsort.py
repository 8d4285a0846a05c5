_base_ = "../_base_/trackers/deepsort.py"
