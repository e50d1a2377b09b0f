"""Looks before training starts, or at its first step: what would fail or train in silence later is refused then."""
