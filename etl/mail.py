"""Letters over SMTP, with the standard library: one message a reader, each within a time limit.

What went wrong is told as one of `PROBLEMS`, never in the server's words, which may quote an address.
"""

from __future__ import annotations

import smtplib
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from etl.deadline import Deadline, TooSlow, alarm
from etl.errors import SettingsError
from etl.settings import Settings
from sql.team.digests import Letter
from sql.team.store import TeamError
from sql.team.words import address, line

#: Why a message was not sent -> in words.
PROBLEMS = {
    "connect": "the mail server cannot be reached",
    "tls": "the mail server offers no encryption that can be trusted",
    "login": "the mail server does not take the user and password",
    "sender": "the mail server does not take mail from RADOPS_SMTP_FROM",
    "refused": "the mail server refuses this address",
    "domain": "RADOPS_MAIL_DOMAINS does not name the address's domain",
    "timeout": "the mail server took too long",
    "lost": "the mail server broke off",
    "server": "the mail server refuses the message",
}
#: Problems that every other message would have too.
OF_ALL = frozenset({"connect", "tls", "login", "sender", "timeout", "lost"})
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
#: As a domain: any.
ANY = "*"
#: Signs of a subject at most.
_SUBJECT_SIGNS = 200


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server as the settings name it, checked."""

    host: str
    port: int
    security: str
    sender: str
    user: str
    password: str
    ca_file: Path | None
    seconds: float
    domains: tuple[str, ...] = (ANY,)  # small; ANY for any

    def must_allow(self, to: str) -> None:
        """Raises Unsent where letters may not go to an address: its whole domain is none of those named."""
        if ANY not in self.domains and to.rpartition("@")[2].lower() not in self.domains:
            raise Unsent("domain")


class Unsent(Exception):
    """A message was not sent; `problem` is a key of `PROBLEMS`."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def server_of(settings: Settings) -> Server | None:
    """The server of the settings, None where they name none. Raises SettingsError."""
    if not settings.smtp_host:
        return None
    try:
        sender = address(settings.smtp_from)
    except TeamError as error:
        raise SettingsError("RADOPS_SMTP_FROM is no e-mail address: digests need one to come from") from error
    if settings.smtp_user and settings.smtp_security == "none":
        raise SettingsError(
            "RADOPS_SMTP_USER needs RADOPS_SMTP_SECURITY=starttls or tls: a password must not go in clear"
        )
    if not settings.smtp_user.isascii():
        raise SettingsError("RADOPS_SMTP_USER is plain ASCII")
    if bool(settings.smtp_user) != bool(settings.smtp_password_file):
        raise SettingsError("RADOPS_SMTP_USER and RADOPS_SMTP_PASSWORD_FILE go together")
    return Server(
        settings.smtp_host, settings.smtp_port or _PORTS[settings.smtp_security], settings.smtp_security, sender,
        settings.smtp_user, _password(settings.smtp_password_file), settings.smtp_ca_file, settings.smtp_seconds,
        _domains(settings, sender),
    )  # fmt: skip


def _domains(settings: Settings, sender: str) -> tuple[str, ...]:
    """The domains that letters may go to: those named, else the sender's own."""
    named = tuple(part.strip().lower() for part in settings.mail_domains.split(",") if part.strip())
    return named or (sender.rpartition("@")[2].lower(),)


def _password(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"{path}: others may read the password; run: chmod 600 {path}")
        found = path.read_text("ascii").strip()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: a password for RADOPS_SMTP_USER is plain ASCII") from error
    except OSError as error:
        raise SettingsError(f"{path}: the password of RADOPS_SMTP_USER cannot be read") from error
    return found


def message(letter: Letter, sender: str, to: str, at: datetime, message_id: str) -> EmailMessage:
    """A letter as a message with a text and an HTML part. Raises TeamError where an address could not stand alone."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = address(sender), address(to)
    made["Subject"] = line(letter.subject, _SUBJECT_SIGNS)
    made["Date"], made["Message-ID"] = format_datetime(at), f"<{message_id}@{sender.partition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text)
    made.add_alternative(letter.html, subtype="html")
    return made


class Post:
    """A connection that is made for the first message and kept for the next ones."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: smtplib.SMTP | None = None

    def send(self, letter: EmailMessage) -> None:
        """Send one message. Raises Unsent; after what concerns all of them the connection is given up."""
        try:
            with alarm(), Deadline(self._server.seconds), _told():
                if self._open is None:
                    self._open = _connected(self._server)
                self._open.send_message(letter)
        except Unsent as error:
            if error.problem in OF_ALL:
                self.give_up()
            raise
        except TooSlow as error:
            self.give_up()
            raise Unsent("timeout") from error

    def give_up(self) -> None:
        """Close without a word."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        """Say goodbye, where the server still listens."""
        if self._open is None:
            return
        with suppress(smtplib.SMTPException, OSError, TooSlow), alarm(), Deadline(5.0):
            self._open.quit()
        self.give_up()


def _connected(server: Server) -> smtplib.SMTP:
    """A connection, encrypted and signed in as the settings say."""
    context = ssl.create_default_context(cafile=server.ca_file)
    opened = smtplib.SMTP_SSL(context=context) if server.security == "tls" else smtplib.SMTP()
    opened.timeout = server.seconds
    # What the constructor sets where it connects too; but then a socket stays open that fails before its first word.
    opened._host = server.host  # type: ignore[attr-defined]  # the name that the certificate is checked for
    try:
        opened.connect(server.host, server.port)
        if server.security == "starttls":
            opened.starttls(context=context)
        if server.user:
            opened.login(server.user, server.password)
    except BaseException:
        opened.close()
        raise
    return opened


#: What goes wrong -> why a message was not sent; the first that fits, so the narrow ones stand before the wide.
_WHY: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "login"),
    (smtplib.SMTPNotSupportedError, "tls"),
    (ssl.SSLError, "tls"),
    (smtplib.SMTPRecipientsRefused, "refused"),
    (smtplib.SMTPSenderRefused, "sender"),
    (smtplib.SMTPServerDisconnected, "lost"),
    (smtplib.SMTPConnectError, "connect"),
    (smtplib.SMTPException, "server"),
    (TimeoutError, "timeout"),
    (OSError, "connect"),
)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what smtplib raises into why a message was not sent."""
    try:
        yield
    except (smtplib.SMTPException, OSError) as error:
        raise Unsent(next(why for kind, why in _WHY if isinstance(error, kind))) from error
