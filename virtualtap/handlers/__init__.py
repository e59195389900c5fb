"""One protocol each: state and behaviour, no knowledge of one another."""
