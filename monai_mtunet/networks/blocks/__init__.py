"""What networks of more than one family are built of."""
