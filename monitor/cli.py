"""Arguments and printing: one function per command, no decisions."""


def main() -> None:
    """The installed command."""
