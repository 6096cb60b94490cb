"""`python -m monitor` is `mubiao`."""

from monitor.cli import main

main()
