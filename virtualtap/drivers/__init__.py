"""The engine over real input and output: the only impure rooms, and nothing imports them."""
