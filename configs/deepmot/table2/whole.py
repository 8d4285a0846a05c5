# Table 2: the whole loss, dMOTA and dMOTP.
_base_ = "../tracktor_r18_synthmot_reidhead.py"
