"""The two errors, divided by blame: their bytes, or your call.

    ValueError
    ├── WireError     bytes from a network are wrong; never leaves the engine
    └── UsageError    the caller's argument, file or option is wrong; always leaves it

Everything else that goes wrong is a bug, and is an assertion.
"""


class WireError(ValueError):
    """Bytes from a network that are not what they claim; the text says what was needed."""


class UsageError(ValueError):
    """A wrong call, file or option: one line that says what and where, and a hint.

    Where Python shows the error, the hint stands below it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        if hint:
            self.add_note(f"hint: {hint}")
