"""The page of a data set, from its fingerprint."""
