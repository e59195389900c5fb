"""What several commands of `vtap` take, and what they leave with."""

from typing import Annotated

import typer

HELD, FAILED, WRONG_CALL, NOT_JUDGED, INTERRUPTED = 0, 1, 2, 3, 130

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
MaxNodes = Annotated[int, typer.Option(min=1, help="Refuse larger networks.")]
MaxEvents = Annotated[int, typer.Option(min=1, help="Refuse, or stop, longer runs.")]
MaxMemory = Annotated[int, typer.Option(min=1, help="Bytes.")]
MaxDisk = Annotated[int, typer.Option(min=1, help="Bytes.")]
Parents = Annotated[bool, typer.Option("--parents", help="Record why each frame was sent.")]
Check = Annotated[bool, typer.Option("--check", help="Run it twice: is every moment the same?")]
