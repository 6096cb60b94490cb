"""An alert as a message for people: subject, plain text and HTML of at most 100 KB. Pure but for reading its templates.

Templates are sandboxed Jinja with autoescape; a user may override any of them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    Environment,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    select_autoescape,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts import view
from alerts.inert import link, one_line
from alerts.view import Budget, Payload
from monitor.errors import ConfigError, DeliveryError
from monitor.i18n import say
from monitor.i18n.alerts import TEXTS
from monitor.model import Alert, Message

MAX_BYTES = 100_000  # Gmail clips a message at 102 KB
SUBJECT_LIMIT = 120  # characters

Links = Mapping[str, str]  # label -> address, shown under the message
Values = dict[str, Any]


def sandboxed(overrides: Mapping[str, str]) -> Environment:
    """Templates by name (change.html, digest.txt, …); `overrides` maps a name to a user's text that replaces it.

    Raises ConfigError for a name that is none of ours and for a text that is no template, with its line.
    """
    known = sorted(PackageLoader("alerts").list_templates())
    made = _set_up(ImmutableSandboxedEnvironment, ChoiceLoader([DictLoader(dict(overrides)), PackageLoader("alerts")]))
    for name in overrides:
        if name not in known:
            raise ConfigError(
                f"no message has the template {name}", path="templates", fix=f"there are {', '.join(known)}"
            )
        try:
            made.get_template(name)
        except TemplateSyntaxError as why:
            raise ConfigError(f"not a template: {why.message}", file=name, line=why.lineno, path="templates") from why
    return made


@cache
def _built_in() -> Environment:
    """Our own templates need no sandbox, and looking at their files again for each message no time."""
    return _set_up(Environment, PackageLoader("alerts"))


def _set_up(kind: type[Environment], loader: BaseLoader) -> Environment:
    made = kind(
        loader=loader,
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    return made


def render(
    alert: Alert,
    *,
    lang: str | None = None,
    links: Links | None = None,
    templates: Environment | None = None,
) -> Message:
    """The message of an alert, in its own language unless told otherwise.

    Raises DeliveryError (not permanent: mending the template mends it) where an overriding template fails.
    """
    speak = lang or alert.lang
    make = _VIEWS.get(alert.type, _health)
    budget = Budget()
    try:
        while True:
            name, subject, values = make(alert, speak, budget)
            values |= {"t": partial(say, TEXTS, lang=speak), "lang": speak, "links": dict(links or {}), "id": alert.id}
            html, text = (_fill(templates or _built_in(), f"{name}.{part}", values) for part in ("html", "txt"))
            if max(len(html.encode()), len(text.encode())) <= MAX_BYTES or budget == budget.halved():
                return Message(subject=one_line(subject, SUBJECT_LIMIT), text=text, html=html)
            budget = budget.halved()
    except TemplateError as why:
        raise DeliveryError(f"template failed: {type(why).__name__}: {one_line(why, 200)}") from why


def _fill(templates: Environment, name: str, values: Values) -> str:
    return templates.get_template(name).render(values).strip() + "\n"


# --------------------------------------------------------------------------- kinds of message


def _tagged(tag: str, text: str) -> str:
    return f"[{tag}] {text}"


def _change(alert: Alert, lang: str, budget: Budget) -> tuple[str, str, Values]:
    shown = view.change(alert.payload, lang, budget)
    return "change", _tagged(shown.tag, shown.short), {"c": shown, "title": shown.line}


def _confirmed(alert: Alert, lang: str, budget: Budget) -> tuple[str, str, Values]:
    shown = view.change(alert.payload, lang, budget)
    at = view.clock(str(alert.payload.get("confirmed_at") or ""), lang)
    values = {"c": shown, "title": shown.line, "note": say(TEXTS, "confirmed.line", lang, at=at)}
    return "confirmed", _tagged(say(TEXTS, "tag.confirmed", lang), shown.short), values


def _digest(alert: Alert, lang: str, budget: Budget) -> tuple[str, str, Values]:
    changes: list[Payload] = list(alert.payload.get("changes") or ())
    groups, left_out = view.digest(changes, lang, budget)
    since, until = (view.clock(str(alert.payload.get(k) or ""), lang) for k in ("since", "until"))
    kept, back = view.fold_reverts(changes)  # what was changed and changed back has not moved
    moved = sum(view.moved(c) for c in kept)
    counts = {"since": since[:16], "until": until[:16], "changes": len(kept) + len(back), "targets": moved}
    line = say(TEXTS, "digest.line", lang, **counts)
    subject = say(TEXTS, "digest.subject", lang, **(counts | {"until": until[:10]}))
    values = {"groups": groups, "left_out": left_out, "since": str(alert.payload.get("since") or ""), "title": line}
    return "digest", _tagged(say(TEXTS, "tag.digest", lang), subject), values


def _health(alert: Alert, lang: str, _: Budget) -> tuple[str, str, Values]:
    failure = alert.payload
    said = {
        "name": one_line(failure.get("name") or failure.get("source") or "?", 60),
        "error": one_line(failure.get("error") or "", 60),
        "count": failure.get("consecutive") or 0,
        "release": one_line(failure.get("release") or "", 40),
    }
    key = f"health.{alert.type}"
    if alert.type == "channel.off" and not failure.get("whole"):
        key = "health.recipient.off"
        said["recipients"] = one_line(", ".join(map(str, failure.get("recipients") or ())), 200)
    line = say(TEXTS, key, lang, **said) if key in TEXTS else f"{alert.type}: {said['name']}"
    tag = f"tag.{alert.type}"
    values: Values = {
        "title": line,
        "facts": list(_health_facts(failure, lang)),
        "source": view.word(failure.get("source")),
        "kept": alert.type in ("source.failing", "source.blocked"),
        "warns": alert.type in ("source.silent", "source.certificate", "source.overdue"),
        "mend": said["name"] if alert.type == "channel.off" else None,
        "note": None,
    }
    return "health", _tagged(say(TEXTS, tag, lang) if tag in TEXTS else one_line(alert.type, 40), line), values


def _health_facts(failure: Payload, lang: str) -> list[view.Fact]:
    detail = " · ".join(one_line(failure[k], 300) for k in ("error", "detail") if failure.get(k))
    if failure.get("usual_days"):
        detail = say(TEXTS, "health.usual", lang, days=failure["usual_days"])
    elif (why := f"health.overdue.{failure.get('from')}") in TEXTS:
        failure = dict(failure) | {"since": None}
        detail = say(TEXTS, why, lang, day=one_line(failure.get("by") or "", 20))
    elif failure.get("host"):
        host, end = one_line(failure["host"], 100), view.clock(str(failure.get("since") or ""), lang)
        return [
            view.Fact(
                say(TEXTS, "label.page", lang), one_line(failure.get("url") or "", 200), link(failure.get("url"))
            ),
            view.Fact(say(TEXTS, "label.ends", lang), f"{host}: {end}"),
        ]
    rows = [
        view.Fact(say(TEXTS, "label.reason", lang), detail),
        view.Fact(say(TEXTS, "label.page", lang), one_line(failure.get("url") or "", 200), link(failure.get("url"))),
        view.Fact(say(TEXTS, "label.since", lang), view.clock(str(failure.get("since") or ""), lang)),
        view.Fact(say(TEXTS, "label.tries", lang), str(failure.get("consecutive") or "")),
    ]
    return [fact for fact in rows if fact.text]


def _baseline(alert: Alert, lang: str, budget: Budget) -> tuple[str, str, Values]:
    data = alert.payload
    line = say(
        TEXTS, "baseline.line", lang, **{k: data.get(k, 0) for k in ("sources", "documents", "reports", "targets")}
    )
    if data.get("name"):
        line = f"{one_line(data['name'], 60)}{'：' if lang == 'zh' else ': '}{line}"
    gaps = list(data.get("gaps") or ())
    missing = [f"{_named(g)}: {', '.join(map(str, g['missing']))}" for g in gaps[: budget.rows]]
    count = sum(len(g["missing"]) for g in gaps)
    facts = [
        view.Fact(say(TEXTS, "baseline.regions", lang), str(data.get("regions") or "")),
        view.Fact(
            say(TEXTS, "baseline.gaps", lang), say(TEXTS, "baseline.gap_count", lang, count=count) if gaps else ""
        ),
        *(view.Fact("", line) for line in missing),
        view.Fact(
            say(TEXTS, "baseline.failing", lang),
            ", ".join(one_line(x, 60) for x in list(data.get("failing") or ())[: budget.rows]),
        ),
    ]
    values = _plain(line, [f for f in facts if f.text], say(TEXTS, "baseline.what", lang))
    return "health", _tagged(say(TEXTS, "tag.baseline", lang), line), values


def _named(gap: Mapping[str, Any]) -> str:
    return f"{one_line(gap.get('region') or '', 12)} {one_line(gap.get('series') or '', 40)}"


def _alive(alert: Alert, lang: str, _: Budget) -> tuple[str, str, Values]:
    data = alert.payload
    line = say(TEXTS, "alive.line", lang, sources=data.get("sources", 0))
    failing = data.get("failing") or 0
    since, until = (view.clock(str(data.get(k) or ""), lang)[:16] for k in ("since", "until"))
    facts = [view.Fact(say(TEXTS, "label.since", lang), f"{since} – {until}")]
    told = say(TEXTS, "alive.failing", lang, count=failing) if failing else None
    return "health", _tagged(say(TEXTS, "tag.alive", lang), line), _plain(line, facts, told)


def _plain(title: str, facts: list[view.Fact], note: str | None) -> Values:
    """What health.html shows of a message that is about no source."""
    return {"title": title, "facts": facts, "source": "", "kept": False, "warns": False, "mend": None, "note": note}


def _test(alert: Alert, lang: str, _: Budget) -> tuple[str, str, Values]:
    channel = one_line(alert.payload.get("channel") or alert.channel, 60)
    values: Values = {"title": say(TEXTS, "test.line", lang, channel=channel)}
    return "test", _tagged(say(TEXTS, "tag.test", lang), say(TEXTS, "test.subject", lang, channel=channel)), values


_VIEWS: Mapping[str, Callable[[Alert, str, Budget], tuple[str, str, Values]]] = {
    "targets.changed": _change,
    "change.detected": _change,
    "change.confirmed": _confirmed,
    "digest": _digest,
    "baseline": _baseline,
    "alive": _alive,
    "test": _test,
}
