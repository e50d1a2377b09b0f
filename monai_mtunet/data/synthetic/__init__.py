"""Synthetic data sets: scenes painted from seeds, in which no single value tells the class.

They need no download, and are hard enough to show whether a network learns.
"""
