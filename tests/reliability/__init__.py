"""A thousand bad inputs: `python -m tests.reliability` runs them all, and writes the table of docs/reliability.md."""
