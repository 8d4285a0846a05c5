_base_ = "../_base_/trackers/bytetrack.py"
