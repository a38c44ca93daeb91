"""The tab Label."""
