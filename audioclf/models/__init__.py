"""Trained models and the architectures that they are built from."""
