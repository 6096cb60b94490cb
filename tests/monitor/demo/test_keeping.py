"""The demo's directory, and what is written into it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from monitor.demo import keeping
from monitor.demo.receivers import Hook, Mail
from monitor.errors import UsageError

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU2"


def signed(body: str) -> Hook:
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", now, body)
    stamps = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    return Hook(stamps, body.encode())


def earlier_demo(folder: Path) -> None:
    (folder / "mail").mkdir()
    (folder / "mail" / "01.eml").write_text("old")
    (folder / "sources.yaml").write_text(keeping.FIRST_WORDS + "\n", encoding="utf-8")
    (folder / "mubiao.db-wal").write_text("old")


def test_an_earlier_demo_is_cleared(tmp_path: Path) -> None:
    earlier_demo(tmp_path)
    keeping.prepare(tmp_path, "en")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stranger", ["notes.txt", "mubiao.dbx"])
def test_a_directory_with_anything_else_is_left_alone(tmp_path: Path, stranger: str) -> None:
    earlier_demo(tmp_path)
    path = tmp_path / stranger
    path.write_text("mine")
    with pytest.raises(UsageError, match="--dir"):
        keeping.prepare(tmp_path, "en")
    assert path.read_text() == "mine"
    assert (tmp_path / "mail" / "01.eml").exists()


def test_a_users_own_watch_list_and_database_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("sources: []\n")
    (tmp_path / "mubiao.db").write_text("mine")
    with pytest.raises(UsageError):
        keeping.prepare(tmp_path, "zh")
    assert (tmp_path / "mubiao.db").read_text() == "mine"


def test_mails_are_kept_as_they_came_with_their_html_beside(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "目标"
    message.set_content("文字")
    message.add_alternative("<p>网页</p>", subtype="html")
    (letter,) = keeping.keep_mails(tmp_path, [Mail("a@b", ("c@d",), message.as_bytes())])
    assert letter.subject == "目标"
    assert letter.eml.read_bytes() == message.as_bytes()
    assert letter.html.read_text(encoding="utf-8").strip() == "<p>网页</p>"


def test_a_webhook_is_verified_over_its_bytes(tmp_path: Path) -> None:
    good = signed('{"type":"targets.changed","data":{"id":"c1"}}')
    forged = Hook(good.headers, good.body.replace(b"c1", b"c2"))
    kept = keeping.keep_hooks(tmp_path, [good, forged], SECRET)
    assert [(k.id, k.change, k.verified) for k in kept] == [("msg_1", "c1", True), ("msg_1", "c2", False)]
    assert json.loads(kept[0].file.read_text(encoding="utf-8"))["body"]["data"] == {"id": "c1"}


def test_a_webhook_about_a_source_names_no_change(tmp_path: Path) -> None:
    (kept,) = keeping.keep_hooks(tmp_path, [signed('{"type":"source.failing","data":{"source":"s"}}')], SECRET)
    assert (kept.type, kept.change) == ("source.failing", None)


def test_the_database_address_is_what_the_commands_take(tmp_path: Path) -> None:
    assert keeping.database_url(Path("demo-out")) == "sqlite:///demo-out/mubiao.db"
    assert keeping.database_url(Path("/x")) == "sqlite:////x/mubiao.db"
