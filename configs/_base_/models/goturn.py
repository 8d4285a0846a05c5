# GOTURN as published: CaffeNet's convolutions, three fully connected layers of 4096; 111.4 million
# parameters.
follower = dict(type="GOTURN", tower=dict(type="CaffeNet"), crop=227, width=4096)
