"""SynthMOT: a seeded generator of toy streets with known boxes and identities.

``recipe`` says what is generated; ``camera``, ``layout``, ``crowd`` and ``looks`` decide where
things are and what they wear; ``ground``, ``facade``, ``props`` and ``figure`` draw them;
``render`` puts a frame together, ``effects`` develops it; ``generate`` writes folders; ``dataset``
reads them. Only ``dataset`` imports torch.
"""
