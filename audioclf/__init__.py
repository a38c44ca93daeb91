"""See, classify and label sounds, and teach a network your own classes."""

__version__ = "0.1.0"
