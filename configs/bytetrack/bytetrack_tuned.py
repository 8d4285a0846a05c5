_base_ = "../_base_/trackers/bytetrack_tuned.py"
