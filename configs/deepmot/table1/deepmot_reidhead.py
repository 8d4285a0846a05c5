# Table 1, DeepMOT +ReIDhead: trained together with an appearance head.
_base_ = "../tracktor_r18_synthmot_reidhead.py"
