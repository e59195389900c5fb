"""The command line `vtap`: one function per command, and what a terminal and CI are told."""
