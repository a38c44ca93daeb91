"""Labelled folders: their layouts, archives, uploads and inspection."""
