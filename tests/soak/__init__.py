"""What takes over five minutes: `make soak`, or one part of it by `make soak PART=memory`.

A part is a module here with `run(report: Report) -> None`. It says what it found with
`report.figure(name, value)` and `report.note(sentence)`; what must hold it asserts. The dispatcher
adds date, commit, command, cores and Python, and writes the part's section of `docs/soak.md`.
"""
