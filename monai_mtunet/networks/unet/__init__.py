"""U-Nets: one decoder per task, which may listen to the others."""
