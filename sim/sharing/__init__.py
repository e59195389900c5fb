"""A run handed to others: one archive, without who it was, as tables and schemas they can read."""
