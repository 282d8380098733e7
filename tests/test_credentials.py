"""Where a client keeps its token: the system's keyring, and what is done where there is none (T-matrix of backends)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked

from cms import contexts, credentials
from cms.contract.refusals import Denied, Invalid, NotFound, Unreachable


class Safe(KeyringBackend):
    """A keyring that keeps, in memory."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class PlaintextKeyring(Safe):
    """As keyrings.alt has one."""


class Asleep(Safe):
    """A collection that waits for a password which nobody types."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = threading.Event()

    def set_password(self, service: str, username: str, password: str) -> None:
        self.woken.wait()

    def get_password(self, service: str, username: str) -> str | None:
        self.woken.wait()
        return None


class Locked(Safe):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("the collection is locked")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]  # keyring has no types there
    yield tmp_path / "cms"
    keyring.set_keyring(before)


def test_a_keyring_keeps_the_token_and_nothing_is_in_a_file(home: Path) -> None:
    keyring.set_keyring(Safe())
    kept, where = credentials.store("lab", "token", insecure=False)
    assert (kept, where.startswith("keyring")) == (credentials.KEYRING, True)
    found = credentials.find("lab", kept, {})
    assert found is not None
    assert found.token == "token"
    assert not (home / "credentials").exists()
    credentials.forget("lab", kept)
    assert credentials.find("lab", kept, {}) is None


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring, PlaintextKeyring])
def test_what_does_not_keep_is_no_keyring(backend: type[KeyringBackend], home: Path) -> None:
    keyring.set_keyring(backend())
    assert not credentials.usable()
    with pytest.raises(Denied, match="no keyring") as refused:
        credentials.store("lab", "token", insecure=False)
    assert "--insecure-storage" in str(refused.value.hint)
    assert not home.exists()


def test_a_keyring_that_does_not_answer_is_an_error_and_no_reason_for_a_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "KEYRING_WITHIN_S", 0.05)
    asleep = Asleep()
    keyring.set_keyring(asleep)
    with pytest.raises(Unreachable, match="did not answer"):
        credentials.store("lab", "token", insecure=False)
    with pytest.raises(Unreachable):
        credentials.find("lab", credentials.KEYRING, {})
    asleep.woken.set()
    assert not home.exists()


def test_a_keyring_that_is_locked_is_an_error_too() -> None:
    keyring.set_keyring(Locked())
    with pytest.raises(Unreachable, match="is locked"):
        credentials.store("lab", "token", insecure=False)


def test_a_file_is_for_its_owner_alone(home: Path) -> None:
    kept, where = credentials.store("lab", "token", insecure=True)
    assert "in clear" in where
    assert (home / "credentials").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    found = credentials.find("lab", kept, {})
    assert found is not None
    assert found.token == "token"
    (home / "credentials").chmod(0o640)
    with pytest.raises(Denied, match="read by others"):
        credentials.find("lab", kept, {})


def test_a_file_of_somebody_else_is_refused(home: Path) -> None:
    credentials.store("lab", "token", insecure=True)
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(home / "credentials", 54321, -1)
    with pytest.raises(Denied):
        credentials.find("lab", credentials.FILE, {})


def test_going_to_the_keyring_leaves_nothing_in_clear(home: Path) -> None:
    credentials.store("lab", "old", insecure=True)
    keyring.set_keyring(Safe())
    credentials.store("lab", "new", insecure=False)
    assert "old" not in (home / "credentials").read_text()


def test_the_nearer_place_wins(tmp_path: Path) -> None:
    credentials.store("lab", "stored", insecure=True)
    (tmp_path / "named").write_text("of the file\n")
    (tmp_path / "cms-token").write_text("of systemd\n")
    environ = {
        "CMS_TOKEN_FILE": str(tmp_path / "named"),
        "CMS_TOKEN": "of the variable",
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    for expected, gone in (
        ("of the file", "CMS_TOKEN_FILE"),
        ("of the variable", "CMS_TOKEN"),
        ("of systemd", "CREDENTIALS_DIRECTORY"),
    ):
        found = credentials.find("lab", credentials.FILE, environ)
        assert found is not None
        assert found.token == expected
        del environ[gone]
    last = credentials.find("lab", credentials.FILE, environ)
    assert last is not None
    assert last.token == "stored"
    with pytest.raises(Invalid, match="cannot be read"):
        credentials.find("lab", "", {}, token_file=str(tmp_path / "missing"))


def test_a_token_does_not_show_itself() -> None:
    from cms.client import Address

    assert "hush" not in repr(Address(url="https://x", token="hush"))
    assert "hush" not in repr(credentials.Found("hush", "somewhere"))


def test_a_home_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(Invalid, match="cannot be"):
        credentials.store("lab", "token", insecure=True)


def test_contexts_are_known_by_name() -> None:
    assert contexts.read() == contexts.Contexts({})
    assert contexts.meant({}) is None
    lab = contexts.Context("https://lab")
    contexts.write(contexts.Contexts({"lab": lab, "site": contexts.Context("https://site")}, "site"))
    assert contexts.meant({}) == ("site", contexts.Context("https://site"))
    assert contexts.meant({"CMS_CONTEXT": "lab"}) == ("lab", lab)
    assert contexts.meant({"CMS_CONTEXT": "site"}, "lab") == ("lab", lab)
    with pytest.raises(NotFound, match="no context nope"):
        contexts.meant({}, "nope")


def test_contexts_that_somebody_broke_are_said(home: Path) -> None:
    home.mkdir()
    (home / "contexts.json").write_text("{")
    with pytest.raises(Invalid, match="not what `cms context` writes"):
        contexts.read()


def test_an_address_that_is_a_context_is_believed_like_it() -> None:
    from cms.client import find_daemon

    contexts.write(
        contexts.Contexts({"lab": contexts.Context("https://lab", pin="ab", kept=credentials.FILE)})
    )
    credentials.store("lab", "token", insecure=True)
    for address in (find_daemon(url="https://lab/", environ={}), find_daemon(environ={}, context="lab")):
        assert (address.url, address.pin, address.token) == ("https://lab", "ab", "token")
    assert find_daemon(url="https://other", environ={}).token is None
