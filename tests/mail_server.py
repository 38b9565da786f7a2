"""A small SMTP server over real sockets for tests: takes messages, with TLS and sign-in where asked, or misbehaves."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.conftest import missing


@dataclass
class MailServer:
    """Listens on a port of this machine. `refuses` are parts of recipients' addresses; `behaviour` is one of: polite,
    silent (never says a word), slow (a sign a second), dropping (ends within a message), full (refuses messages)."""

    certificate: Path | None = None
    has_starttls: bool = False
    is_tls: bool = False
    user: str = ""
    password: str = ""
    refuses: str = ""
    behaviour: str = "polite"
    messages: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._ends = threading.Event()
        self._wrapped: list[ssl.SSLSocket] = []
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._ends.set()
        self._socket.close()

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        assert self.certificate is not None
        context.load_cert_chain(self.certificate, self.certificate.with_suffix(".key"))
        return context

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_quietly, args=(connection,), daemon=True).start()

    def _serve_quietly(self, connection: socket.socket) -> None:
        try:
            if self.is_tls:
                connection = self._context().wrap_socket(connection, server_side=True)
                self._wrapped.append(connection)
            self._serve(connection)
        except OSError:
            pass
        finally:
            for one in (connection, *self._wrapped):
                one.close()

    def _serve(self, connection: socket.socket) -> None:  # noqa: PLR0912 - a protocol is a list of cases
        if self.behaviour == "silent":
            self._ends.wait(60)
            return
        if self.behaviour == "slow":
            for sign in b"220-" + b"x" * 60:
                connection.sendall(bytes([sign]))
                if self._ends.wait(0.2):
                    return
        self._say(connection, "220 here")
        sender, recipients, is_private, is_known = "", list[str](), self.is_tls, not self.user
        lines = connection.makefile("rb")
        while told := lines.readline():
            command = told.decode("ascii", "replace").strip()
            verb = command.split(" ")[0].upper()
            self.commands.append(verb)
            if verb == "EHLO":
                offers = ["STARTTLS"] if self.has_starttls and not is_private else []
                offers += ["AUTH PLAIN"] if self.user else []
                for offer in ["here", *offers]:
                    self._say(connection, f"250-{offer}")
                self._say(connection, "250 8BITMIME")
            elif verb == "STARTTLS":
                self._say(connection, "220 go on")
                connection = self._context().wrap_socket(connection, server_side=True)
                self._wrapped.append(connection)
                lines, is_private = connection.makefile("rb"), True
            elif verb == "AUTH":
                given = base64.b64decode(command.split(" ")[2]).decode("utf-8")
                is_known = is_private and given == f"\0{self.user}\0{self.password}"
                self._say(connection, "235 yes" if is_known else "535 no such user ann@secret")
            elif verb == "MAIL":
                sender, recipients = command, []
                self._say(connection, "250 yes" if is_known else "530 who are you")
            elif verb == "RCPT":
                is_taken = not self.refuses or self.refuses not in command
                recipients += [command] if is_taken else []
                self._say(connection, "250 yes" if is_taken else "550 nobody of that name")
            elif verb == "DATA":
                self._say(connection, "354 go on")
                if self.behaviour == "dropping":
                    return
                body = b""
                while (part := lines.readline()) != b".\r\n" and part:
                    body += part.removeprefix(b".") if part.startswith(b"..") else part
                if self.behaviour == "full":
                    self._say(connection, "552 no room")
                    continue
                self.messages.append((sender, recipients, body))
                self._say(connection, "250 kept")
            elif verb == "QUIT":
                self._say(connection, "221 bye")
                return
            else:
                self._say(connection, "250 yes")

    def _say(self, connection: socket.socket, told: str) -> None:
        connection.sendall(told.encode("ascii") + b"\r\n")


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key beside it."""
    path = folder / "mail.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path.with_suffix(".key"), "-out", path]  # fmt: skip
    try:
        subprocess.run(asked, check=True, capture_output=True)
    except FileNotFoundError:
        missing("openssl", "apt-get install openssl")
    return path


def down() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    return port
