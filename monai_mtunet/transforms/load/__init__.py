"""From files to checked samples: loading, decoding, scaling, and filling in what is missing."""
