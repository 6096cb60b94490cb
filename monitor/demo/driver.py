"""The demo played: seven days of the invented district, read by the real pipeline and told by the real outbox.

    run(directory, lang, as_json=False) -> whether everything went as the story says

The clock of the checks is set back to the day that is played; the last day is now. Messages leave with the real time.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from alerts.email import SMTP_ENV
from alerts.sending import Settings
from monitor import config as configuration
from monitor import net, schedule, wire
from monitor.delivery import Deliverer
from monitor.demo import keeping, story, summary
from monitor.demo.background import running
from monitor.demo.receivers import MailServer, WebhookReceiver
from monitor.demo.result import Result, Round
from monitor.demo.site import SHANGHAI, Site, demo_sources
from monitor.fetch.client import Fetcher
from monitor.i18n import Lang, say
from monitor.i18n.demo import TEXTS
from monitor.model import Config
from monitor.pipeline import Checker, utc_now
from storage import migrate
from storage.store import Store

HOOK_ENV = "DEMO_HOOK_SECRET"
LOOKS = {story.OUTAGE: 3}  # looks on the day of a round: trouble is told when it has lasted for three
LAST = story.ROUNDS[-1]


@dataclass(slots=True)
class Clock:
    """What time it is on the day that is played."""

    day: int = 0
    look: int = 0

    def __call__(self) -> datetime:
        return utc_now() - timedelta(days=LAST - self.day) + timedelta(hours=self.look)


@dataclass(slots=True)
class Stage:
    """The site, the two receivers, and the key that signs this demo's webhooks."""

    clock: Clock = field(default_factory=Clock)
    mail: MailServer = field(default_factory=MailServer)
    hook: WebhookReceiver = field(default_factory=WebhookReceiver)
    secret: str = field(default_factory=lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        self.site = Site(self.clock().astimezone(SHANGHAI).date())

    @property
    def environ(self) -> Mapping[str, str]:
        """What the channels of the demo find in their environment."""
        return {SMTP_ENV: self.mail.url, HOOK_ENV: self.secret}


def run(directory: Path, lang: Lang, *, as_json: bool = False) -> bool:
    """Play the story in `directory` (emptied of an earlier demo) and print what happened.

    Raises UsageError when the directory holds anything else.
    """
    begun = time.monotonic()
    keeping.prepare(directory, lang)
    stage = Stage()
    with running(stage.site.government, stage.site.newspaper, stage.mail, stage.hook), _progress(lang) as step:
        watched = directory / keeping.CONFIG
        watched.write_text(demo_sources(stage.site, hook=stage.hook.url + "/hook", lang=lang), encoding="utf-8")
        config = configuration.load(str(watched))
        database = keeping.database_url(directory)
        migrate.upgrade(database, stage.clock())
        with Store(database) as store:
            rounds = asyncio.run(_play(stage, store, config, step))
    result = Result(
        directory=directory,
        rounds=rounds,
        letters=keeping.keep_mails(directory, stage.mail.mails),
        hooks=keeping.keep_hooks(directory, stage.hook.calls, stage.secret),
        requests=stage.site.requests,
        seconds=time.monotonic() - begun,
    )
    summary.show(result, lang, as_json=as_json)
    return not result.problems(lang)


async def _play(stage: Stage, store: Store, config: Config, step: Callable[[Round | None, int], None]) -> list[Round]:
    """Every round: the site goes on, the pages are read, what is owed is told."""
    pools = net.Pools(net.Guard(config.network))
    fetcher = Fetcher(config.network, pools=pools)
    checker = Checker(store, fetcher, config, configuration.vocabulary(), now=stage.clock)
    deliverer = Deliverer(store, config, Settings(stage.environ, pools.transport, utc_now))
    rounds: list[Round] = []
    try:
        store.sync_sources(config.sources, stage.clock(), lambda source: schedule.first_due(source, stage.clock()))
        for number in story.ROUNDS:
            step(rounds[-1] if rounds else None, number)
            rounds.append(await _round(number, stage, checker, deliverer))
        step(rounds[-1], LAST + 1)
    finally:
        checker.close()
        await fetcher.aclose()
    return rounds


async def _round(number: int, stage: Stage, checker: Checker, deliverer: Deliverer) -> Round:
    checks: list[wire.JSON] = []
    letters, calls = len(stage.mail.mails), len(stage.hook.calls)
    undelivered: list[str] = []
    for look in range(LOOKS.get(number, 1)):
        stage.clock.day, stage.clock.look = number, look
        stage.site.advance(number, stage.clock().astimezone(SHANGHAI).date())
        done = await checker.check(checker.store.pages())
        checks.append(done.json())
        deliveries = await deliverer.deliver_due(utc_now())
        undelivered += [x.error or x.alert for x in deliveries if not x.ok]
    return Round(
        number=number,
        checks=tuple(checks),
        mails=len(stage.mail.mails) - letters,
        hooks=len(stage.hook.calls) - calls,
        undelivered=tuple(undelivered),
    )


@contextmanager
def _progress(lang: Lang) -> Iterator[Callable[[Round | None, int], None]]:
    """A bar on a terminal, a line for each day elsewhere; on stderr either way."""
    screen = Console(stderr=True, highlight=False)
    screen.print(say(TEXTS, "intro", lang), style="dim", soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=len(story.ROUNDS))

        def step(finished: Round | None, next_number: int) -> None:
            if finished is not None:
                bar.console.print(summary.line(finished, lang), soft_wrap=True)
            if next_number <= LAST:
                happens = say(TEXTS, f"round.{next_number}", lang)
                day = say(TEXTS, "progress", lang, day=next_number + 1)
                bar.update(task, completed=next_number, description=f"{day}  {happens}")

        yield step
