"""A training that somebody ended; nothing has gone wrong."""


class TrainingInterruptedError(Exception):
    """It was asked to end, and its last whole epoch is kept."""
