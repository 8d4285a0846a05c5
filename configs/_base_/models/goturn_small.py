# A GOTURN that two CPU cores train within minutes: few channels, batch normalisation, small crops.
follower = dict(
    type="GOTURN",
    tower=dict(type="CaffeNet", channels=(16, 32, 48, 48, 32), norm="bn"),
    crop=131,
    width=256,
    dropout=0.0,
    min_side=4.0,
)
