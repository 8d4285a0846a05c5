"""SynthMOT: a seeded generator of toy streets with known boxes and identities."""
