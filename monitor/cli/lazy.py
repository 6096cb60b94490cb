"""A click group whose commands are imported when called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """`lazy` maps a command's name to `module:attribute` and a line of help. A call imports one, help none.

    `inside` does the same for the commands of a group: while a shell asks how a line goes on, the group itself is not
    imported either.
    """

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, tuple[str, str]] | None = None,
        inside: Mapping[str, Mapping[str, str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})
        self.inside = dict(inside or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        place = self.lazy[cmd_name][0]
        if ctx.resilient_parsing and cmd_name in self.inside:
            lines = self.inside[cmd_name]
            return LazyGroup(cmd_name, lazy={name: (f"{place}:{name}", line) for name, line in lines.items()})
        module, attribute, *within = place.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        for name in within:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The names that go on like this, with their lines, and the options of the group."""
        names = [CompletionItem(n, help=line) for n, (_, line) in sorted(self.lazy.items()) if n.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their lines of help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in sorted(self.lazy.items())])
