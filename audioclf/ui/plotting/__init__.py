"""Pictures that matplotlib draws, and their axes."""
