"""Letters to drivers, by a mail server of the operator's (settings ``smtp_url`` and ``mail_from``)."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import structlog

from cms.contract.refusals import Invalid, Unreachable
from cms.domain.verification import Mail

log = structlog.get_logger("cms")

_TIMEOUT_S = 15.0
_PORTS = {"smtp": 587, "smtps": 465}
_OURSELVES = frozenset({"localhost", "127.0.0.1", "::1"})


class Post:
    """``url``: ``smtp://USER:PASSWORD@HOST:PORT`` (TLS as soon as the server offers it) or ``smtps://...``.

    Nothing goes to another machine in clear.
    """

    def __init__(self, url: str, sender: str, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Invalid("smtp_url is no mail server", "e.g. smtps://USER:PASSWORD@mail.example")
        self._secure = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._context = context

    async def send(self, mail: Mail) -> None:
        """Hand it to the server. Raises Unreachable, which names neither address nor text."""
        try:
            await asyncio.to_thread(self._hand_over, mail)
        except (smtplib.SMTPException, OSError) as error:
            log.warning("a letter could not be sent", why=type(error).__name__)
            raise Unreachable("The mail server did not take the letter", "try again later") from None

    def _hand_over(self, mail: Mail) -> None:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self._sender, mail.to, mail.subject
        letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(domain="cms.invalid")
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(mail.text)
        for file in mail.attachments:
            kind, _, subtype = file.media_type.partition("/")
            letter.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
        context = self._context or ssl.create_default_context()
        if self._secure:
            with smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT_S, context=context) as server:
                self._say(server, letter)
            return
        with smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S) as server:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif self._host not in _OURSELVES:
                raise smtplib.SMTPNotSupportedError("no TLS")
            self._say(server, letter)

    def _say(self, server: smtplib.SMTP, letter: EmailMessage) -> None:
        if self._user:
            server.login(self._user, self._password)
        server.send_message(letter)
