"""mmdeepmot: JDE, FairMOT and DeepMOT as one framework of registered components."""

__version__ = "0.1.0"
