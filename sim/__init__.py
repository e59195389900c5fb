"""The laboratory: a deterministic network of real byte frames, on SimPy."""
