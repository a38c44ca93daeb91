"""Annotation projects: tasks, events, the queue, import and export."""
