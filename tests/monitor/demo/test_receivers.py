"""The demo's mail server and webhook receiver, talked to by real clients."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from email.message import EmailMessage

import httpx
import pytest

from monitor.demo.background import running
from monitor.demo.receivers import MailServer, WebhookReceiver


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    with running(server):
        yield server


@pytest.fixture
def client(mail: MailServer) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(mail.host, mail.port, timeout=5) as smtp:
        yield smtp


def letter(subject: str = "目标有变") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "a@demo.invalid", "b@demo.invalid"
    message.set_content("第一行\n.以点开头\n..两点\n")
    message.add_alternative("<p>第一行</p>", subtype="html")
    return message


def test_a_message_arrives_as_it_was_sent(mail: MailServer, client: smtplib.SMTP) -> None:
    client.send_message(letter())
    (kept,) = mail.mails
    assert (kept.sender, kept.recipients) == ("a@demo.invalid", ("b@demo.invalid",))
    assert kept.message["Subject"] == "目标有变"
    assert kept.part("plain") == "第一行\n.以点开头\n..两点\n"
    assert kept.part("html").strip() == "<p>第一行</p>"


def test_dots_are_unstuffed_in_plain_eight_bit_text(mail: MailServer, client: smtplib.SMTP) -> None:
    client.sendmail("a@demo.invalid", ["b@demo.invalid"], "Subject: x\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n")
    assert mail.mails[0].raw == b"Subject: x\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n"


def test_two_messages_in_one_session_and_a_reset_between(mail: MailServer, client: smtplib.SMTP) -> None:
    client.send_message(letter("一"))
    client.mail("x@demo.invalid")
    client.rset()
    client.send_message(letter("二"))
    assert [m.message["Subject"] for m in mail.mails] == ["一", "二"]
    assert mail.mails[1].sender == "a@demo.invalid"


def test_commands_out_of_order_are_refused_and_keep_nothing(mail: MailServer, client: smtplib.SMTP) -> None:
    client.ehlo()
    assert client.docmd("DATA")[0] == 503
    assert client.docmd("RCPT", "TO:<b@demo.invalid>")[0] == 503
    assert client.docmd("TURN")[0] == 500
    assert mail.mails == []


def test_a_client_that_hangs_up_inside_a_message_leaves_none(mail: MailServer) -> None:
    with smtplib.SMTP(mail.host, mail.port, timeout=5) as smtp:
        smtp.ehlo()
        smtp.mail("a@demo.invalid")
        smtp.rcpt("b@demo.invalid")
        smtp.docmd("DATA")
        smtp.send(b"Subject: half\r\n")
        smtp.close()
    with smtplib.SMTP(mail.host, mail.port, timeout=5) as smtp:
        smtp.send_message(letter())
    assert [m.message["Subject"] for m in mail.mails] == ["目标有变"]


def test_the_webhook_receiver_keeps_the_bytes_and_answers_204() -> None:
    hook = WebhookReceiver()
    with running(hook), httpx.Client(trust_env=False) as client:
        body = '{"名":1}'.encode()
        assert client.post(hook.url + "/hook", content=body, headers={"Webhook-Id": "msg_1"}).status_code == 204
        assert client.get(hook.url).status_code == 405
    (call,) = hook.calls
    assert call.body == body
    assert call.headers["webhook-id"] == "msg_1"


def test_servers_stop_while_a_client_is_still_connected() -> None:
    mail = MailServer()
    with running(mail):
        open_one = socket.create_connection((mail.host, mail.port), timeout=5)
        assert open_one.recv(100).startswith(b"220")
    assert open_one.recv(100) == b""
    open_one.close()
