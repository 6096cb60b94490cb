"""Entries of sources.yaml from other lists: spreadsheets, urlwatch and webchanges jobs, changedetection.io, OPML.

Only what is said there is taken over; what cannot be is named in a warning, never guessed.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import yaml

from monitor.errors import UsageError

MOST = 20_000  # entries of one list

_COLUMNS: Mapping[str, str] = {  # headings of spreadsheets, in the languages that people write them in
    "url": "url", "网址": "url", "地址": "url", "链接": "url", "link": "url", "address": "url", "href": "url",
    "key": "key", "标识": "key", "name": "name", "名称": "name", "title": "name", "栏目": "name", "标题": "name",
    "region": "region", "code": "region", "地区代码": "region", "行政区划代码": "region", "区划代码": "region",
    "adcode": "region",
    "kind": "kind", "type": "kind", "类型": "kind", "series": "series", "系列": "series", "match": "match",
    "关键词": "match", "selector": "selector", "css": "selector", "every": "every", "间隔": "every", "cron": "cron",
    "tags": "tags", "tag": "tags",
    "标签": "tags", "pages": "pages", "release": "release", "render": "render", "enabled": "enabled",
}  # fmt: skip
_OUTLINE = re.compile(r"<outline\b([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclass(slots=True)
class Jobs:
    """What a list names: entries with at least `url`, and what could not be taken over."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read(path: str | Path) -> Jobs:
    """The jobs of a file, its kind seen from name and content. Raises UsageError for a file that is none of them."""
    try:
        raw = Path(path).read_bytes()
    except OSError as wrong:
        raise UsageError(f"{path}: {wrong.strerror or wrong}") from wrong
    text = _text(raw, str(path))
    jobs = Jobs()
    for number, entry in enumerate(_entries(text, Path(path).suffix.lower(), str(path), jobs), 1):
        if number > MOST:
            raise UsageError(f"{path}: more than {MOST} entries; split the file")
        url = str(entry.get("url") or "").strip()
        if not re.match(r"https?://[^/\s]\S*$", url):
            jobs.warnings.append(f"{number}: {url or 'no address'}: not an http:// or https:// address, left out")
            continue
        jobs.entries.append({k: v for k, v in (entry | {"url": url}).items() if v not in (None, "", [], ())})
    return jobs


def _text(raw: bytes, path: str) -> str:
    """Spreadsheets save as UTF-8 with a mark, as UTF-16 or, in China, as GBK."""
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError(f"{path}: neither UTF-8 nor GBK text (save a spreadsheet as CSV)")


def _entries(text: str, suffix: str, path: str, jobs: Jobs) -> Iterator[dict[str, Any]]:
    start = text.lstrip()[:1]
    if start == "<":
        return _opml(text)
    if suffix == ".json" or start == "{":
        return _changedetection(text, path, jobs)
    if suffix in (".yaml", ".yml"):
        return _urlwatch(text, path, jobs)
    return _table(text, path, jobs)


# --------------------------------------------------------------------------- spreadsheets


def _table(text: str, path: str, jobs: Jobs) -> Iterator[dict[str, Any]]:
    """CSV or TSV with a heading, or one address a line."""
    lines = text.splitlines()
    head = next((line for line in lines if line.strip()), "")
    if re.match(r"https?://", head.strip()):
        for line in lines:
            if line.strip() and not line.lstrip().startswith("#"):
                yield {"url": line.split()[0]}
        return
    delimiter = max("\t,;", key=head.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = [cell.strip() for cell in next(rows, [])]
    known = [_COLUMNS.get(name.lower().strip(), "") for name in names]
    if "url" not in known:
        raise UsageError(f"{path}: no column url (网址) in its first line: {', '.join(names)[:200]}")
    if unknown := [name for name, key in zip(names, known, strict=True) if name and not key]:
        jobs.warnings.append(f"columns left out: {', '.join(unknown)}")
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        entry: dict[str, Any] = {}
        for key, cell in zip(known, row, strict=False):
            if key and cell.strip():
                entry[key] = _cell(key, cell.strip())
        yield entry


def _cell(key: str, text: str) -> Any:
    if key == "tags":
        return [tag for tag in re.split(r"[,;，；、\s]+", text) if tag]
    if key == "region":
        code = re.sub(r"\.0$", "", text)  # a spreadsheet's idea of a number
        return re.sub(r"(?:00)+$", "", code[:6]) if re.fullmatch(r"\d{6,12}", code) else code
    if key == "enabled":
        return text.lower() not in ("false", "0", "no", "否", "off")
    return int(text) if key == "pages" and text.isdecimal() else text


# --------------------------------------------------------------------------- other programs


def _urlwatch(text: str, path: str, jobs: Jobs) -> Iterator[dict[str, Any]]:
    """urlwatch's and webchanges' urls.yaml: one job a YAML document. Commands are not run."""
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as wrong:
        raise UsageError(f"{path}: not YAML: {str(wrong).splitlines()[0]}") from wrong
    for job in documents:
        if not isinstance(job, Mapping):
            continue
        address = job.get("url") or job.get("navigate")
        name = str(job.get("name") or address or job.get("command"))
        if not address:
            jobs.warnings.append(f"{name}: no address, left out")
            continue
        entry: dict[str, Any] = {"url": address, "name": job.get("name"), "tags": _tags(job.get("tags"))}
        if job.get("navigate") or job.get("use_browser"):
            entry["render"] = "browser"
        if job.get("enabled") is False:
            entry["enabled"] = False
        entry |= _filters(job.get("filter") or job.get("filters"), name, jobs)
        lost = sorted(set(job) & {"data", "method", "headers", "cookies", "http_proxy", "https_proxy", "diff_tool"})
        if lost:
            jobs.warnings.append(f"{name}: {', '.join(lost)}: not taken over")
        yield entry


def _filters(filters: Any, name: str, jobs: Jobs) -> dict[str, Any]:
    """Filters that choose an element become `selector` and `exclude`."""
    entry: dict[str, Any] = {}
    pieces = filters if isinstance(filters, list) else [filters] if filters else []
    for piece in pieces:
        pairs = (
            piece.items()
            if isinstance(piece, Mapping)
            else [(str(piece).partition(":")[0], str(piece).partition(":")[2])]
        )
        for kind, value in pairs:
            chosen = value.get("selector") if isinstance(value, Mapping) else value
            ready = {"css": "{}", "element-by-id": "#{}", "element-by-class": ".{}", "element-by-tag": "{}"}.get(
                str(kind)
            )
            if ready and isinstance(chosen, str) and chosen:
                entry["selector"] = ready.format(chosen)
                if isinstance(value, Mapping) and isinstance(value.get("exclude"), str):
                    entry["exclude"] = [value["exclude"]]
            elif kind not in ("html2text", "strip", "strip_lines", "remove_repeated"):  # done anyway
                jobs.warnings.append(f"{name}: filter {kind}: not taken over")
    return entry


def _tags(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def _changedetection(text: str, path: str, jobs: Jobs) -> Iterator[dict[str, Any]]:
    """changedetection.io's url-watches.json, or a JSON list of entries."""
    try:
        data = json.loads(text)
    except ValueError as wrong:
        raise UsageError(f"{path}: not JSON: {wrong}") from wrong
    watching = data.get("watching", data) if isinstance(data, Mapping) else data
    settings = data.get("settings", {}) if isinstance(data, Mapping) else {}
    tags = settings.get("application", {}).get("tags", {}) if isinstance(settings, Mapping) else {}
    rows = watching.values() if isinstance(watching, Mapping) else watching if isinstance(watching, list) else []
    for job in rows:
        if not isinstance(job, Mapping):
            continue
        named = [
            tags[t].get("title") if isinstance(tags, Mapping) and t in tags else t
            for t in _tags(job.get("tags") or job.get("tag"))
        ]
        name = str(job.get("title") or job.get("name") or job.get("url"))
        entry: dict[str, Any] = {
            "url": job.get("url"),
            "name": job.get("title") or job.get("name"),
            "tags": [t for t in named if t],
        }
        css = [
            x
            for x in job.get("include_filters") or []
            if isinstance(x, str) and not x.startswith(("xpath", "/", "json", "jq"))
        ]
        if len(css) < len(job.get("include_filters") or []):
            jobs.warnings.append(f"{name}: XPath and JSON filters: not taken over")
        entry |= {"selector": ", ".join(css) or None, "exclude": list(job.get("subtractive_selectors") or [])}
        entry |= {key: job[key] for key in ("key", "region", "series", "kind", "match") if job.get(key)}
        if job.get("paused"):
            entry["enabled"] = False
        if "webdriver" in str(job.get("fetch_backend")):
            entry["render"] = "browser"
        entry["every"] = _gap(job.get("time_between_check"))
        yield entry


def _gap(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    seconds = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    total = sum(int(value.get(unit) or 0) * size for unit, size in seconds.items())
    return f"{total // 60}m" if total >= 60 else None


def _opml(text: str) -> Iterator[dict[str, Any]]:
    """A feed reader's list."""
    for attributes in _OUTLINE.findall(text):
        named = {k.lower(): unescape(a or b) for k, a, b in _ATTRIBUTE.findall(attributes)}
        if named.get("xmlurl"):
            yield {"url": named["xmlurl"], "name": named.get("title") or named.get("text"), "kind": "feed"}
