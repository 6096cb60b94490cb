"""The keys of sources.yaml: what each holds and means. The loader, the JSON Schema and the advice read these tables."""

from __future__ import annotations

from typing import Any

from monitor.config.values import Keys, many, number, object_schema, one_of, optional
from monitor.config.words import (
    ADAPT,
    ADDRESS,
    ATTACHED,
    CHANNEL_URL,
    CIDR,
    CONFIRM,
    CRON,
    CSS,
    DELAY,
    DURATION,
    ENV_NAME,
    EXPECT,
    FIELDS,
    FLAG,
    KEEP,
    KEY,
    LINKS,
    POSTED,
    PROXY,
    QUIET,
    RATE,
    RECHECK,
    REGEX,
    REGION,
    SEASON,
    SIZE,
    TEXT,
    URL,
    ZONE,
)

TLS_PROFILES = ("default", "legacy", "seclevel1", "seclevel0", "tls10", "insecure")  # monitor.net explains them

SOURCE: Keys = {
    "key": (KEY, "stable name, used everywhere"),
    "url": (URL, "the address; an e-paper's may hold {yyyy} {mm} {dd}, a listing's {page}"),
    "kind": (one_of("page", "listing", "epaper", "feed", "sitemap"), "page | listing | epaper | feed | sitemap"),
    "name": (TEXT, "shown to people"),
    "region": (optional(REGION), "GB/T 2260 code"),
    "series": (optional(TEXT), "documents of one region and series are each other's releases"),
    "release": (optional(TEXT), "overrides the label read from the document"),
    "selector": (optional(CSS), "overrides the automatic main text"),
    "exclude": (many(CSS), "parts of the page that are cut out"),
    "match": (optional(REGEX), "which documents of a listing are followed, by title"),
    "match_text": (optional(REGEX), "or by their text: each is read once, and kept where it is found"),
    "links": (LINKS, "which addresses are documents"),
    "fields": (optional(FIELDS), "where a JSON list keeps its items, their title, address and date"),
    "post": (optional(POSTED), "asked for by POST with this form or JSON; {page} and {page0} as in url"),
    "pages": (number(1, 1000), "how many list pages"),
    "backfill": (optional(DURATION), "how much older than the first check"),
    "every": (DURATION, "interval between checks"),
    "cron": (CRON, "or a crontab line; 0 and 7 are Sunday"),
    "timezone": (ZONE, "of cron, season and issue dates"),
    "season": (optional(SEASON), "another interval in some months"),
    "expect": (optional(EXPECT), "the day, MM-DD, by which each year's release has come; then it is overdue"),
    "recheck": (RECHECK, "how often found documents are read again"),
    "adapt": (optional(ADAPT), "an interval that grows while a text stands unchanged: 30m to 1d"),
    "detect_within": (optional(DURATION), "no interval is longer than this, whatever else says so"),
    "delay": (DELAY, "least gap between two requests to one host; 0s turns waiting off"),
    "concurrency_per_host": (number(1, 100), "requests to one host at the same time"),
    "respect_robots": (FLAG, "robots.txt rules and its Crawl-delay"),
    "timeout": (DURATION, "a whole check"),
    "max_bytes": (SIZE, "the largest body"),
    "confirm": (CONFIRM, "fetch again after a moved number or a vanished page; off turns it off"),
    "attachments": (ATTACHED, "which files of a page are read: true, false, or endings like [pdf, docx]"),
    "tls": (one_of(*TLS_PROFILES), "a named profile for old servers"),
    "proxy": (optional(PROXY), "address of a proxy"),
    "render": (one_of("http", "browser"), "http | browser"),
    "keep": (optional(KEEP), "what is thinned out every night; everything is kept where it does not say so"),
    "tags": (many(TEXT), "for subscriptions"),
    "enabled": (FLAG, "false: kept and queried, never fetched"),
}
DEFAULTS: Keys = {name: value for name, value in SOURCE.items() if name not in {"key", "url"}}
NETWORK: Keys = {
    "allow_private": (many(CIDR), "address blocks the guard refuses otherwise; reached on any port"),
    "allow_ports": (many(number(1, 65535)), "ports of all other addresses"),
    "user_agent": (TEXT, "who we say we are"),
    "heartbeat": (optional(URL), "a dead-man's switch: this address is asked every minute while all is well"),
}
CHANNEL: Keys = {
    "type": (one_of("email", "webhook", "apprise", "feed"), "email | webhook | apprise | feed"),
    "to": (many(ADDRESS), "e-mail: who receives"),
    "url": (CHANNEL_URL, "webhook: where to; apprise: an address of its own kind"),
    "path": (TEXT, "feed: the Atom file that is written"),
    "secret_env": (
        ENV_NAME,
        "environment variable that holds the secret (whsec_…), or the whole address of an apprise channel",
    ),
    "quiet": (optional(QUIET), "hours in which nothing is sent: 22:00-07:00"),
    "rate": (optional(RATE), "most messages in a span: 20/h; what is more is folded into one"),
    "timezone": (ZONE, "of quiet hours"),
}
_ON = (
    "targets", "content", "new", "cosmetic", "attachment", "removed", "restored", "reverted", "health", "alive",
    "instant-default", "weekly-default",
)  # fmt: skip
_DIRECTIONS = ("raised", "lowered", "new", "dropped", "reworded", "softened", "hardened")
SUBSCRIPTION: Keys = {
    "channel": (TEXT, "a name under channels"),
    "on": (many(one_of(*_ON)), "which events"),
    "sources": (many(TEXT), "keys of sources"),
    "tags": (many(TEXT), "tags of sources"),
    "regions": (many(REGION), "codes; a shorter one takes all below it"),
    "series": (many(TEXT), "series of sources"),
    "indicators": (many(TEXT), "names or ids of indicators"),
    "keywords": (many(TEXT), "words in the changed text"),
    "directions": (many(one_of(*_DIRECTIONS)), "which way a promise moved"),
    "min_significance": (number(0, 1, float), "0-1"),
    "digest": (optional(CRON), "crontab line; without it a message goes out at once"),
    "lang": (one_of("zh", "en"), "language of the message"),
}
TOP = ("include", "network", "defaults", "sources", "channels", "subscriptions", "templates")
IN_INCLUDED = ("defaults", "sources", "channels", "subscriptions")


def schema() -> dict[str, Any]:
    """The JSON Schema of sources.yaml, for editors (`# yaml-language-server: $schema=…`)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sources.yaml of mubiao",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "include": many(TEXT).schema,
            "network": object_schema(NETWORK),
            "defaults": object_schema(DEFAULTS),
            "sources": {"type": "array", "items": object_schema(SOURCE, ("key", "url"))},
            "channels": {"type": "object", "additionalProperties": object_schema(CHANNEL, ("type",))},
            "subscriptions": {"type": "array", "items": object_schema(SUBSCRIPTION, ("channel",))},
            "templates": TEXT.schema,
        },
    }
