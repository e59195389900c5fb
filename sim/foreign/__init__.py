"""Files of other products, read as scenarios."""
