"""Trainings in processes of their own: submitted, followed, cancelled, resumed."""
