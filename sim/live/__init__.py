"""The simulator's nouns made real: kernels in namespaces, and what is compared with them."""
