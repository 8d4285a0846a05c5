_base_ = "../_base_/trackers/jde_code.py"
