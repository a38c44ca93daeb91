"""The exchange formats of labels, one module each."""
