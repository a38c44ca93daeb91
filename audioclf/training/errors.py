"""The exception that ends a training early; nothing has gone wrong."""


class TrainingInterruptedError(Exception):
    """The training was asked to stop, and its last whole epoch is saved."""
