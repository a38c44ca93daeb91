"""The tab Classify and its views."""
