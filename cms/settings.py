"""One frozen Settings: flags over CMS_* variables over a TOML file over defaults."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
import typing
from collections.abc import Iterable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from cms import places
from cms.contract.refusals import Invalid
from cms.domain import qr

PREFIX = "CMS_"
#: Variables of the clients: not the daemon's keys, and no mistakes either. (CMS_SOCKET serves both.)
CLIENT_VARIABLES = frozenset(
    {
        "CMS_SOCKET",
        "CMS_URL",
        "CMS_CONTEXT",
        "CMS_ORG",
        "CMS_TOKEN",
        "CMS_TOKEN_FILE",
        "CMS_CREDENTIAL_STORE",
        "CMS_CONFIG",
        "CMS_COLOR",
    }
)

DEFAULT_SOURCE = "default"
#: What the pay page may link to.
PAY_LINKS = ("terms", "privacy", "imprint")
_WEB = re.compile(r"https?://[^\s\"'<>\\]{1,500}", re.ASCII)


def _is_yes(said: object) -> bool:
    """As pydantic reads a flag from a variable or a file."""
    return str(said).strip().casefold() in ("true", "1", "yes", "y", "on", "t")


class Settings(BaseSettings):
    """Everything a daemon can be told. Built directly it takes its arguments and defaults alone; see load().

    Times are seconds, sizes bytes.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, validate_default=True)

    data_dir: Path = Field(
        default_factory=places.data_dir, description="Where the daemon keeps what it knows."
    )
    master_key_file: Path | None = Field(
        None,
        description="The master key of all secrets; - asks for a passphrase; beside the data when not given.",
    )
    ocpp_host: str = Field("0.0.0.0", description="Address on which stations connect.")  # noqa: S104
    ocpp_port: int = Field(9000, ge=0, le=65535, description="Port on which stations connect; 0 picks one.")
    ocpp_plain: bool = Field(True, description="Serve stations without TLS too (security profiles 0 and 1).")
    ocpp_tls_port: int | None = Field(
        None, ge=0, le=65535, description="Port on which stations connect with TLS; none unless given."
    )
    tls_certificates: tuple[Path, ...] = Field(
        (), description="Certificate chains of that port in PEM, RSA and ECDSA; made here when none is given."
    )
    tls_keys: tuple[Path, ...] = Field(
        (), description="Their keys in the same order, unless in the same files."
    )
    tls_legacy_suites: bool = Field(
        True, description="Take TLS suites without forward secrecy too, which OCPP demands (A00.FR.318)."
    )
    tls_names: tuple[str, ...] = Field(
        (), description="Host names and addresses in the certificates that are made here."
    )
    tls_client_authorities: tuple[Path, ...] = Field(
        (), description="Authorities, beside our own, whose station certificates are taken, in PEM."
    )
    tls_revocation_lists: tuple[Path, ...] = Field(
        (), description="Lists of revoked station certificates; read again when they change."
    )
    tls_proxies: tuple[str, ...] = Field(
        (),
        description="Addresses of proxies that do TLS before ocpp_port; their X-Forwarded headers are believed.",
    )
    organisation: str | None = Field(
        None, description="Who operates the stations: O in their certificates, e.g. Volt GmbH."
    )
    trusted_organisations: tuple[str, ...] = Field(
        (), description="Other operators whose station certificates are taken."
    )
    certificate_days: int = Field(
        365, ge=1, le=3650, description="How long certificates signed here are valid."
    )
    certificate_renew_days: int = Field(
        0,
        ge=0,
        le=365,
        description="So long before its end a station is asked to renew its certificate; 0 never.",
    )
    signing_url: str | None = Field(
        None,
        description="Who signs certificate requests instead of our own authority (docs/certificates.md).",
    )
    contract_authorities: tuple[Path, ...] = Field(
        (), description="Roots, and those below, of drivers' contract certificates (ISO 15118), in PEM."
    )
    contract_certificates_url: str | None = Field(
        None,
        description="Who answers cars that ask for a contract certificate (ISO 15118); nobody unless given.",
    )
    outward_hosts: tuple[str, ...] = Field(
        (), description="Hosts on private networks that may be asked although a station named them."
    )
    public_tls_url: str | None = Field(
        None, description="Where stations reach the TLS port from outside, e.g. wss://csms.example/ocpp."
    )
    public_url: str | None = Field(
        None, description="Where stations reach this daemon from outside, e.g. wss://csms.example/ocpp."
    )
    socket: Path = Field(Path(), description="The control socket.")
    api_host: str | None = Field(None, description="Address of the control API over TCP; none unless given.")
    api_port: int | None = Field(None, ge=0, le=65535, description="Port of the control API over TCP.")
    api_tls_certificate: Path | None = Field(
        None, description="Certificate chain of that port in PEM; made here when none is given."
    )
    api_tls_key: Path | None = Field(None, description="Its key, unless in the same file.")
    api_plain: bool = Field(
        False, description="Serve that port without TLS: on a loopback address alone, e.g. behind a proxy."
    )
    socket_group: str | None = Field(
        None,
        description="Group of this machine whose members may connect to the socket (0660); roles as mapped.",
    )
    orders_per_minute: float = Field(
        30.0, gt=0, description="Orders that one asker may give to one station in a minute."
    )
    four_eyes: tuple[str, ...] = Field(
        (), description="Organisations in which grave orders need a second person; * for all."
    )
    upload_host: str = Field(
        "0.0.0.0",  # noqa: S104
        description="Address on which stations put their logs, when upload_port is given.",
    )
    upload_port: int | None = Field(
        None, ge=0, le=65535, description="Port on which stations put their logs; none unless given."
    )
    upload_public_url: str | None = Field(
        None, description="Where stations reach that port from outside, e.g. https://csms.example."
    )
    upload_max_bytes: int = Field(
        256 * 1024 * 1024, ge=1, description="The longest file that a station may put there."
    )
    insecure_lab: bool = Field(
        False,
        description="Serve stations that prove nothing (security profile 0); ocpp_host is 127.0.0.1 then, if not said,"
        " and a loopback address at any rate.",
    )
    open_enrolment: bool = Field(
        False, description="Register whoever connects, without a password: an insecure_lab."
    )
    database: str | None = Field(
        None, description="Database URL; SQLite in the data directory when not given."
    )
    bus: str | None = Field(None, description="Bus URL; within this process when not given.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["auto", "human", "json"] = Field(
        "auto", description="How it is logged; auto: human on a terminal, json otherwise."
    )
    heartbeat_interval_s: int = Field(300, ge=1, le=86_400, description="What stations are told at boot.")
    default_boot_policy: Literal["accepted", "pending", "rejected"] = Field(
        "accepted", description="What the first BootNotification of a new station is answered."
    )
    boot_trigger_s: float = Field(
        10.0,
        ge=0,
        le=3600,
        description="When a station that connects without a BootNotification is asked for one; 0: never.",
    )
    alert_offline_s: int = Field(
        60, ge=0, le=86400, description="How long a station's link may be away before it is an alert."
    )
    probe_stations: bool = Field(
        False, description="Ask the first station of each make and firmware what it takes."
    )
    call_timeout_s: float = Field(30.0, gt=0, le=600, description="Patience with a station's answer.")
    ping_interval_s: float = Field(30.0, gt=0, description="How often a silent link is tried.")
    ping_timeout_s: float = Field(20.0, gt=0, description="When an unanswered ping means a lost link.")
    handshake_timeout_s: float = Field(5.0, gt=0, description="Deadline of a connection's handshake.")
    max_frame_bytes: int = Field(1_048_576, ge=1024, description="Largest OCPP frame that is read.")
    max_pending_connections: int = Field(1024, ge=1, description="Connections not yet authenticated.")
    rate_per_s: float = Field(
        200.0, gt=0, description="OCPP messages per second of one station, in the long run."
    )
    burst: int = Field(1000, ge=1, description="OCPP messages of one station at once.")
    list_sync: bool = Field(False, description="Send stale local lists to stations by themselves.")
    authorize_url: str | None = Field(
        None, description="Service that is asked about tokens by POST (docs/access.md); nobody unless given."
    )
    authorize_key_file: Path | None = Field(
        None, description="File with the bearer token that this service is shown."
    )
    authorize_tokens: Literal["unknown", "all"] = Field(
        "unknown", description="Which tokens it is asked about: those nobody registered here, or all."
    )
    authorize_timeout_ms: int = Field(
        1500, ge=50, le=10_000, description="How long its answer is waited for."
    )
    authorize_offline: Literal["accept-known", "refuse", "accept"] = Field(
        "accept-known", description="What holds without its answer: what is known here, nobody, everybody."
    )
    vat_url: str | None = Field(
        None, description="Service that is asked about VAT numbers: GET URL?vat_number=..."
    )
    qr_url: str = Field(
        qr.DEFAULT,
        description="What the QR code on an EVSE says: {organisation}, {station}, {evse} and {evse_id} are filled in.",
    )
    stripe_key_file: Path | None = Field(
        None, description="File with Stripe's secret key (sk_...); without it no cards are taken."
    )
    stripe_publishable_key: str | None = Field(
        None, description="Stripe's publishable key (pk_...), for the pay page."
    )
    stripe_webhook_secret_file: Path | None = Field(
        None, description="File with the secret that Stripe signs its webhooks with (whsec_...)."
    )
    stripe_url: str | None = Field(
        None, description="Who speaks as Stripe does instead of it, e.g. localstripe for tests."
    )
    adhoc_amount: Decimal = Field(
        Decimal(50),
        ge=1,
        le=1000,
        description="What is held on a card before a session without a contract; the session ends when it costs that.",
    )
    billing_day: int = Field(
        0,
        ge=0,
        le=28,
        description="Day of the month on which the month before is billed by itself; 0: when somebody asks.",
    )
    receipt_url: str | None = Field(
        None, description="Where drivers find receipts, e.g. https://pay.example/{psp_ref}."
    )
    pay_host: str = Field("127.0.0.1", description="Address of the pay page, when pay_port is given.")
    pay_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of the pay page for drivers without a contract (docs/paypage.md); none unless given.",
    )
    pay_url: str | None = Field(
        None, description="Where drivers reach the pay page from outside, e.g. https://pay.volt.example."
    )
    pay_tls_certificate: Path | None = Field(
        None,
        description="Certificate chain of that port in PEM; without one it is on a loopback address, behind a proxy.",
    )
    pay_tls_key: Path | None = Field(None, description="Its key, unless in the same file.")
    pay_links: tuple[str, ...] = Field(
        (), description="What the pay page links to: terms=URL, privacy=URL, imprint=URL."
    )
    start_timeout_s: float = Field(
        180.0,
        gt=0,
        description="How long an accepted remote start waits for its session before it has failed.",
    )
    suspect_after_s: float = Field(86_400.0, gt=0, description="Silence after which a session is suspect.")
    inventory_after_boot: Literal["off", "2.x", "all"] = Field(
        "off", description="Whose inventory is taken after the first boot with a firmware."
    )
    monitors_after_boot: bool = Field(
        True, description="Read monitors again after a boot: they may have other numbers."
    )
    automatic_delay_s: float = Field(
        2.0,
        ge=0,
        le=3600,
        description="How long after a boot a station is asked for these; up to twice as long, not all at once.",
    )
    smtp_url: str | None = Field(
        None, description="Mail server for letters to drivers: smtps://USER:PASSWORD@HOST or smtp://...:587."
    )
    mail_from: str | None = Field(None, description="Who those letters are from, e.g. charge@volt.example.")
    suspicious_speed_kmh: float = Field(
        200.0,
        ge=0,
        description="A card that would have travelled faster between two sites is flagged; 0: not looked at.",
    )
    suspicious_sessions_per_day: int = Field(
        20, ge=0, description="A card that begins more sessions in a day is flagged; 0: not looked at."
    )
    suspicious_blocks: tuple[
        Literal["in-two-places", "impossible-travel", "many-sessions", "weak-identity"], ...
    ] = Field((), description="Which of these flags of a card are a no (docs/drivers.md).")
    streams_retention_days: int = Field(
        30, ge=1, description="How long values of periodic event streams are kept."
    )
    personal_retention_days: int = Field(
        0,
        ge=0,
        description="After so long what sessions, events and messages tell names tokens no more; 0: never.",
    )
    events_retention_days: int = Field(400, ge=1, description="How long events are kept.")
    readings_retention_days: int = Field(400, ge=1, description="How long meter readings are kept.")

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments alone; load() reads variables and file itself, to say which value came from where."""
        return (init_settings,)

    @model_validator(mode="before")
    @classmethod
    def _settle_places(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Home is expanded, and the socket follows the data directory unless it was given."""
        told = {key: value for key, value in given.items() if value is not None}
        for key in ("data_dir", "socket"):
            if key in told:
                told[key] = Path(str(told[key])).expanduser().absolute()
        told.setdefault("socket", places.socket_path(os.environ, told.get("data_dir")))
        # Who opens the door to everybody has said that this is a laboratory; and one is reached from its own machine.
        if _is_yes(told.get("open_enrolment")):
            told.setdefault("insecure_lab", True)
        if _is_yes(told.get("insecure_lab")):
            told.setdefault("ocpp_host", "127.0.0.1")
        return told

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        if (self.api_host is None) != (self.api_port is None):
            given, missing = ("api_host", "api_port") if self.api_port is None else ("api_port", "api_host")
            raise ValueError(f"{given} needs {missing} beside it")
        if self.api_plain and not is_loopback(self.api_host):
            raise ValueError("api_plain needs a loopback address as api_host: tokens would travel in clear")
        if self.open_enrolment and not self.insecure_lab:
            raise ValueError(
                "open_enrolment lets stations in without any proof: it cannot be without insecure_lab"
            )
        if self.insecure_lab and not is_loopback(self.ocpp_host):
            raise ValueError(f"insecure_lab needs a loopback address as ocpp_host, not {self.ocpp_host}")
        if self.stripe_key_file is None and self.stripe_publishable_key is not None:
            raise ValueError("stripe_publishable_key needs stripe_key_file beside it")
        if (self.smtp_url is None) != (self.mail_from is None):
            raise ValueError("smtp_url and mail_from need each other")
        if self.bus is not None and self.bus != "local":
            raise ValueError("bus: only the bus within this process (local) is known")
        self._agree_on_the_pay_page()
        try:
            qr.check(self.qr_url)
        except Invalid as error:
            raise ValueError(f"qr_url: {error.message}") from error
        if not self.ocpp_plain and self.ocpp_tls_port is None:
            raise ValueError("ocpp_plain = false needs ocpp_tls_port: stations could not connect at all")
        if self.tls_keys and len(self.tls_keys) != len(self.tls_certificates):
            raise ValueError("tls_keys needs one key for each of tls_certificates, in the same order")
        length = len(os.fsencode(self.socket))
        if length > places.LONGEST_SOCKET_PATH:
            raise ValueError(
                f"socket: the path {self.socket} has {length} bytes, and a Unix socket path may have"
                f" {places.LONGEST_SOCKET_PATH}: give a shorter one with --socket"
            )
        return self

    def _agree_on_the_pay_page(self) -> None:
        if self.pay_port is not None and self.pay_tls_certificate is None and not is_loopback(self.pay_host):
            raise ValueError("pay_host needs pay_tls_certificate: nobody pays in clear")
        if self.pay_url is not None and not _WEB.fullmatch(self.pay_url):
            raise ValueError(f"pay_url: {self.pay_url[:80]!r} is no address of a web page")
        for link in self.pay_links:
            what, _, url = link.partition("=")
            if what not in PAY_LINKS or not _WEB.fullmatch(url):
                raise ValueError(f"pay_links: {link[:80]!r} is none of {', '.join(PAY_LINKS)} with =URL")

    @property
    def database_url(self) -> str:
        """The database as SQLAlchemy names it."""
        return self.database or f"sqlite+aiosqlite:///{self.data_dir / 'cms.db'}"

    def effective(self) -> list[tuple[str, str, str]]:
        """(key, value, where it came from) of every key; passwords in URLs are masked."""
        return [
            (key, _shown(key, getattr(self, key)), self._sources.get(key, DEFAULT_SOURCE))
            for key in type(self).model_fields
        ]


def is_loopback(host: str | None) -> bool:
    """Whether only processes of this machine reach that address."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def load(flags: Mapping[str, Any] | None = None, config: Path | None = None) -> Settings:
    """The effective settings. Flags that are None were not given. Raises Invalid with the key's name."""
    flags = {key: value for key, value in (flags or {}).items() if value is not None}
    layers = [
        ("flag", flags),
        ("environment", _from_environment()),
        _from_file(config),
    ]
    if "data_dir" in flags:
        # The data directory of a flag has its own socket: a variable meant for clients must not move it.
        layers[1][1].pop("socket", None)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, layer in reversed(layers):
        for key, value in layer.items():
            values[key] = value
            sources[key] = f"{PREFIX}{key.upper()}" if source == "environment" else source
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise _invalid(error.errors()[0], sources) from error
    settings._sources.update(sources)
    return settings


def _from_environment() -> dict[str, Any]:
    """The CMS_* variables that are keys of ours; one that is nobody's is a mistake worth saying."""
    known = {f"{PREFIX}{key.upper()}" for key in Settings.model_fields} | CLIENT_VARIABLES
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name.upper() not in known:
            raise _unknown_key(name, known, "environment variable")
    return {key.lower(): value for key, value in _Environment(Settings)().items() if value != ""}


class _Environment(EnvSettingsSource):
    """Variables, in which a list is JSON or, as people write it, has commas."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        if not value.lstrip().startswith("["):
            return [item.strip() for item in value.split(",") if item.strip()]
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            raise Invalid(
                f"{PREFIX}{field_name.upper()} is no list: {value!r}", "write its items with commas"
            ) from None


def _from_file(config: Path | None) -> tuple[str, dict[str, Any]]:
    """The file's name and what it says; a file that was named must be there."""
    path = config or places.config_file(os.environ)
    named = config is not None or "CMS_CONFIG" in os.environ
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if named:
            raise Invalid(f"There is no settings file {path}", "name another with --config") from None
        return str(path), {}
    except OSError as error:
        raise Invalid(f"The settings file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The settings file {path} is not TOML: {error}") from error
    for key in written:
        if key not in Settings.model_fields:
            raise _unknown_key(key, Settings.model_fields, f"key in {path}")
    return str(path), written


def _unknown_key(name: str, known: Iterable[str], what: str) -> Invalid:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
    return Invalid(f"{name} is not a setting ({what})", hint)


def _invalid(detail: ErrorDetails, sources: Mapping[str, str]) -> Invalid:
    """The first mistake as one sentence: key, value, where it came from, what is allowed."""
    if not detail["loc"]:
        return Invalid(str(detail.get("ctx", {}).get("error", detail["msg"])))
    key = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return _unknown_key(key, Settings.model_fields, "key")
    source = sources.get(key, "argument")
    return Invalid(f"{key} cannot be {detail['input']!r} ({source})", f"allowed: {allowed(key)}")


_KINDS: dict[Any, str] = {
    int: "a whole number",
    Decimal: "a number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
}
_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}"}


def allowed(key: str) -> str:
    """What a key may be, in words."""
    field = Settings.model_fields[key]
    if typing.get_origin(field.annotation) is Literal:
        return ", ".join(typing.get_args(field.annotation))
    kinds = [field.annotation, *typing.get_args(field.annotation)]
    words = next((_KINDS[kind] for kind in kinds if kind in _KINDS), "text")
    bounds = [
        text.format(getattr(limit, name))
        for limit in field.metadata
        for name, text in _BOUNDS.items()
        if hasattr(limit, name)
    ]
    return ", ".join([words, *bounds])


def _shown(key: str, value: Any) -> str:
    if value is None:
        return ""
    if key in ("database", "bus") or key.endswith("_url"):
        return re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", str(value))
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
