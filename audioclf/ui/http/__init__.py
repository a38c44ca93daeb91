"""What stands between visitors and Gradio: turns, limits, quotas, headers."""
