"""What a station is and where it connects: name plate, address, login, TLS."""

from __future__ import annotations

import ssl
import tempfile
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote


@dataclass(slots=True)
class Make:
    """What a station says it is. ``firmware`` changes with an update."""

    vendor: str = "Voltanova"
    model: str = "Duo 22"
    serial: str = "VN-000001"
    firmware: str = "3.4.1"


@dataclass(slots=True)
class Place:
    """Where a station connects and as whom. ``url`` is the CSMS's, without the identity.

    ``roots`` is a file of PEM certificates to trust instead of the system's; ``chain`` and ``key`` are the
    station's own certificate chain (leaf first) and private key, PEM, as a security profile 3 station has them.
    """

    url: str
    identity: str
    password: str | None = field(default=None, repr=False)
    roots: str | None = None
    chain: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)

    def address(self, written: str | None = None) -> str:
        """The URL to dial; ``written`` is the identity as a misconfigured station writes it."""
        return f"{self.url.rstrip('/')}/{quote(written or self.identity, safe='')}"

    @property
    def headers(self) -> dict[str, str]:
        if self.password is None:
            return {}
        login = b64encode(f"{self.identity}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {login}"}

    def tls(self) -> ssl.SSLContext | None:
        """None for ws://. OSError when ``roots`` cannot be read."""
        if not self.url.lower().startswith("wss"):
            return None
        context = ssl.create_default_context(cafile=self.roots)
        if self.chain and self.key:
            # The ssl module reads certificates from files only.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
                Path(both.name).write_text(self.key + "\n" + self.chain)
                context.load_cert_chain(both.name)
        return context
