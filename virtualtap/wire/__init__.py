"""One protocol's bytes each: parse and to_bytes, no state."""
