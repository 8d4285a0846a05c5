# How crops of people are cut and changed, for all datasets of crops; 128x256 if not said otherwise.
crop_size = (128, 256)
crop_pipeline = [
    dict(type="LoadFrame"),
    dict(type="LoadTracks"),
    dict(type="CropBox", size=crop_size, shift=0.05, scale=(0.95, 1.1)),
    dict(type="HSVJitter", fraction=0.2),
    dict(type="RandomFlipTracks"),
    dict(type="PackFrame"),
]
