"""The kinds of tasks, one per file."""
