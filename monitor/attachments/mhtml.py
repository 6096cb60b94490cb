"""MHTML: a web page saved as a mail message; Word and WPS write it under the name of .doc, too."""

from __future__ import annotations

from email import message_from_bytes, policy

from monitor.attachments.content import Content, RefusedError

MOST_PARTS = 500


def read(body: bytes) -> Content:
    """The first part that is a page. Raises RefusedError where there is none."""
    message = message_from_bytes(body.lstrip(), policy=policy.default)
    for number, part in enumerate(message.walk()):
        if number > MOST_PARTS:
            break
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            page = part.get_payload(decode=True)
            if isinstance(page, bytes) and page.strip():
                url = str(part.get("Content-Location") or message.get("Snapshot-Content-Location") or "")
                web = url if url.startswith(("http://", "https://")) else None
                return Content("mhtml", page=page, charset=part.get_content_charset(), url=web)
    raise RefusedError("damaged", "a saved page (MHTML) without a page in it")
