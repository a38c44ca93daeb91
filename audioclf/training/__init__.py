"""From a labelled folder to a measured checkpoint."""
