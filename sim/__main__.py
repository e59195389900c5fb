"""`python -m sim` is `vtap`."""

from sim.cli import main

main()
