# Table 1, DeepMOT Base: without appearance. (Vanilla Base and +ReIDext: ../detector/.)
_base_ = "../tracktor_r18_synthmot_deepmot.py"
