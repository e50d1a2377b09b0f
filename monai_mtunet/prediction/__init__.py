"""Files of any kind and size, predicted on one machine or many."""
