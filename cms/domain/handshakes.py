"""The journal of handshakes that failed: what a station did, why that was not enough, and what mends it, in words."""

from __future__ import annotations

from datetime import datetime

from cms.domain.record import record

#: What a station did at the door; ``why`` of an attempt says more.
PLAIN_TO_TLS, TLS_TO_PLAIN, TLS, SILENT = "plain-to-tls", "tls-to-plain", "tls", "silent"
NO_UPGRADE, ADDRESS, SUBPROTOCOL, CREDENTIALS = "no-upgrade", "address", "subprotocol", "credentials"
UNKNOWN, PROOF, TURNED = "unknown", "proof", "turned"


@record
class Attempt:
    """Handshakes that failed alike. ``target`` is the path, ``credentials`` their shape alone, never what they were.

    ``solved_at``: the station has come in since.
    """

    first_at: datetime
    at: datetime
    address: str
    outcome: str
    why: str
    target: str = ""
    identity: str = ""
    offered: tuple[str, ...] = ()
    credentials: str = "none"
    tls: str = ""
    status: int = 0
    organisation: str = "main"
    count: int = 1
    solved_at: datetime | None = None


#: OpenSSL's reason, or the beginning of ours -> what it means, what mends it. ``{}`` is the station.
_TLS = (
    (
        ("UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "BAD_CERTIFICATE", "UNABLE_TO_GET"),
        "the station does not trust our certificate",
        "give it our root certificate (cms certificates authority), or set tls_certificates to a chain that it trusts; "
        "the name in its address must be one of tls_names",
    ),
    (
        ("CERTIFICATE_EXPIRED",),
        "one side takes the other's certificate for expired",
        "look at the station's clock first, then at `cms certificates list --expiring 30d`",
    ),
    (
        ("NO_SHARED_CIPHER", "HANDSHAKE_FAILURE"),
        "the station knows none of our cipher suites",
        "update its firmware, or allow old suites: tls_legacy_suites = true",
    ),
    (
        ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "PROTOCOL_VERSION", "WRONG_VERSION", "UNKNOWN_PROTOCOL"),
        "the station speaks a TLS that is older than 1.2",
        "update its firmware, or let a proxy do its TLS (tls_proxies)",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SELF_SIGNED", "INVALID_CERTIFICATE"),
        "nobody we trust signed the station's client certificate",
        "name its authority in tls_client_authorities, or sign a new one: cms certificates renew {}",
    ),
    (
        ("UNEXPECTED_EOF", "CONNECTION_LOST", "EOF"),
        "the station hung up in the middle of the TLS handshake",
        "it may not like our certificate and not say so: look into its own log",
    ),
)
_PROOFS = (
    (
        "wrong password",
        "its password is wrong",
        "cms security password {} makes a new one; while it cannot connect, type it in at the station",
    ),
    (
        "no password",
        "it sends no password",
        "type identity and password in at the station (basic authentication): cms security password {}",
    ),
    (
        "no client certificate",
        "it shows no client certificate, and its security profile is 3",
        "install one at the station, or lower its profile: cms stations show {}",
    ),
    (
        "needs TLS",
        "it comes without TLS, and its security profile wants TLS",
        "point it to the wss:// address that `cms status` tells",
    ),
    (
        "laboratory",
        "its security profile is 0: it proves nothing",
        "give it a password (cms security password {}), or set insecure_lab = true where strangers cannot reach us",
    ),
    (
        "certificate",
        "its client certificate is no proof",
        "cms certificates renew {} where it can still connect; else install a new one at the station",
    ),
    (
        "guess",
        "somebody guesses its password from many places",
        "wait a minute; cms security password {} makes one that is not chosen by a person",
    ),
    (
        "subprotocol",
        "it does not say which OCPP it speaks",
        "set its OCPP version at the station, or assume one: cms stations quirks {}",
    ),
)
_REST = {
    PLAIN_TO_TLS: (
        "it speaks ws:// (no TLS) to the port for wss://",
        "write wss:// into the station's address, or use the other port that `cms status` tells",
    ),
    TLS_TO_PLAIN: (
        "it speaks wss:// (TLS) to the port for ws://",
        "use the port for TLS that `cms status` tells; set ocpp_tls_port where there is none",
    ),
    SILENT: (
        "it connected and hung up without a word",
        "a probe of a balancer or a scanner does that; a station that does it needs a look at its own log",
    ),
    NO_UPGRADE: (
        "it asked for a page and not for a websocket",
        "a browser or a probe; a station that does it has an http:// address where ws:// belongs",
    ),
    ADDRESS: (
        "its address is not one of a station here",
        "the address in the station ends in /ocpp/ and then its identity, and nothing behind it",
    ),
    SUBPROTOCOL: (
        "it offers no OCPP version that is spoken here",
        "1.6, 2.0.1 and 2.1 with JSON are spoken, not SOAP and not 2.0: set the version at the station",
    ),
    CREDENTIALS: (
        "the user name of its credentials is not its identity, or they cannot be read",
        "the user name is the identity at the end of the address (OCPP 1.6 security 6.2.2, 2.0.1 A00.FR.204)",
    ),
    UNKNOWN: ("no such station is registered", "cms stations enrol {}, when it is one of yours"),
    TURNED: ("it was asked to come again later", "cms doctor tells how the daemon is"),
}


def told(attempt: Attempt) -> tuple[str, str]:
    """Cause and cure in words. What a station called itself is not quoted in a command unless it is a plain name."""
    name = attempt.identity if attempt.identity.replace("-", "").replace("_", "").isalnum() else "STATION"
    cause, cure = _told(attempt)
    return cause, cure.replace("{}", name)


def _told(attempt: Attempt) -> tuple[str, str]:
    if attempt.outcome == TLS:
        reason = attempt.why.upper().replace(" ", "_")
        for signs, cause, cure in _TLS:
            if any(sign in reason for sign in signs):
                return cause, cure
        return (
            "the TLS handshake failed",
            "the reason is OpenSSL's word: look it up, and into the station's own log",
        )
    if attempt.outcome == PROOF:
        for sign, cause, cure in _PROOFS:
            if sign in attempt.why:
                return cause, cure
    return _REST.get(attempt.outcome, _REST[TURNED])
