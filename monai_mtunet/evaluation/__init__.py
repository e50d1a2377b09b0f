"""Predictions in files, measured against targets in files by the tasks' own metrics."""
