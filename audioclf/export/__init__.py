"""Checkpoints written, and models to take away."""
