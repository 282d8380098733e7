"""Settings: who wins, and how mistakes are said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cms import places
from cms.contract.refusals import Invalid
from cms.settings import Settings, load


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours, and a home of its own."""
    for name in [name for name in os.environ if name.startswith("CMS_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def source_of(settings: Settings, key: str) -> tuple[str, str]:
    return next((value, source) for name, value, source in settings.effective() if name == key)


def test_flags_win_over_variables_over_the_file_over_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "cms.toml"
    file.write_text('ocpp_port = 1\nocpp_host = "a"\nburst = 7\n')
    monkeypatch.setenv("CMS_OCPP_PORT", "2")
    monkeypatch.setenv("CMS_OCPP_HOST", "b")
    settings = load({"ocpp_port": "3"}, file)
    assert source_of(settings, "ocpp_port") == ("3", "flag")
    assert source_of(settings, "ocpp_host") == ("b", "CMS_OCPP_HOST")
    assert source_of(settings, "burst") == ("7", str(file))
    assert source_of(settings, "heartbeat_interval_s") == ("300", "default")


def test_the_file_of_the_user_is_found(tmp_path: Path) -> None:
    (tmp_path / "config/cms").mkdir(parents=True)
    (tmp_path / "config/cms/config.toml").write_text("burst = 8\n")
    assert load().burst == 8


def test_a_bad_value_is_named_with_its_source_and_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_LOG_LEVEL", "loud")
    with pytest.raises(Invalid) as refused:
        load()
    assert refused.value.message == "log_level cannot be 'loud' (CMS_LOG_LEVEL)"
    assert refused.value.hint == "allowed: debug, info, warning, error"


def test_a_list_in_a_variable_has_commas_or_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_TLS_NAMES", "csms.example, 10.0.0.1")
    monkeypatch.setenv("CMS_TLS_CLIENT_AUTHORITIES", '["/etc/a.pem", "/etc/b.pem"]')
    settings = load({})
    assert settings.tls_names == ("csms.example", "10.0.0.1")
    assert settings.tls_client_authorities == (Path("/etc/a.pem"), Path("/etc/b.pem"))
    monkeypatch.setenv("CMS_TLS_NAMES", '["csms.example"')
    with pytest.raises(Invalid, match="CMS_TLS_NAMES is no list"):
        load({})


def test_the_bounds_of_a_number_are_said() -> None:
    with pytest.raises(Invalid) as refused:
        load({"ocpp_port": 70_000})
    assert refused.value.hint == "allowed: a whole number, at least 0, at most 65535"


def test_an_unknown_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_OCPP_PRT", "1")
    with pytest.raises(Invalid) as refused:
        load()
    assert "CMS_OCPP_PRT" in refused.value.message
    assert refused.value.hint == "did you mean CMS_OCPP_PORT?"


def test_variables_of_the_clients_are_not_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CMS_URL", "CMS_TOKEN", "CMS_CONTEXT", "CMS_COLOR"):
        monkeypatch.setenv(name, "x")
    load()


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cms.toml"
    file.write_text("ocpp_prot = 1\n")
    with pytest.raises(Invalid) as refused:
        load({}, file)
    assert refused.value.hint == "did you mean ocpp_port?"


@pytest.mark.parametrize("text", ["burst = ", None])
def test_a_named_file_that_is_broken_or_missing_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "cms.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Invalid, match=r"cms\.toml"):
        load({}, file)


def test_the_socket_follows_a_chosen_data_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert load().socket == Path("/run/user/1/cms/cms.sock")
    assert load({"data_dir": "/x"}).socket == Path("/x/cms.sock")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert load().socket == tmp_path / "data/cms/cms.sock"


def test_a_socket_variable_for_clients_does_not_move_the_socket_of_a_chosen_directory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CMS_SOCKET", "/y.sock")
    assert load().socket == Path("/y.sock")
    assert load({"data_dir": "/x"}).socket == Path("/x/cms.sock")
    assert load({"data_dir": "/x", "socket": "/z.sock"}).socket == Path("/z.sock")


@pytest.mark.parametrize("variables", [{}, {"CMS_DATA_DIR": "/d"}, {"CMS_SOCKET": "/s"}])
def test_clients_look_where_the_daemon_listens(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert places.daemon_socket(os.environ) == load().socket


def test_clients_read_the_socket_from_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cms.toml"
    file.write_text('data_dir = "/d"\n')
    monkeypatch.setenv("CMS_CONFIG", str(file))
    assert places.daemon_socket(os.environ) == load().socket == Path("/d/cms.sock")


def test_a_socket_path_that_no_system_takes_is_refused_clearly() -> None:
    with pytest.raises(Invalid, match="100"):
        load({"data_dir": "/" + "x" * 120})


def test_the_api_over_tcp_needs_host_and_port() -> None:
    with pytest.raises(Invalid, match="api_host needs api_port"):
        load({"api_host": "127.0.0.1"})


def test_passwords_in_urls_are_not_shown() -> None:
    settings = load({"database": "postgresql+asyncpg://cms:secret@h/cms"})
    assert source_of(settings, "database") == ("postgresql+asyncpg://cms:***@h/cms", "flag")


def test_settings_built_directly_read_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMS_BURST", "9")
    assert Settings(data_dir=Path("/x")).burst == 1000


def test_stations_without_proof_are_served_on_loopback_alone() -> None:
    with pytest.raises(Invalid, match="insecure_lab needs a loopback address as ocpp_host"):
        load({"insecure_lab": True, "ocpp_host": "0.0.0.0"})
    with pytest.raises(Invalid, match="it cannot be without insecure_lab"):
        load({"open_enrolment": True, "insecure_lab": False})
    assert load({"insecure_lab": True, "ocpp_host": "::1"}).ocpp_host == "::1"


def test_who_opens_enrolment_has_a_laboratory_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = load({"open_enrolment": True})
    assert (lab.insecure_lab, lab.ocpp_host) == (True, "127.0.0.1")
    assert load({}).ocpp_host == "0.0.0.0"
    with pytest.raises(Invalid, match="loopback"):
        load({"open_enrolment": True, "ocpp_host": "0.0.0.0"})
    monkeypatch.setenv("CMS_OPEN_ENROLMENT", "true")
    assert load({}).ocpp_host == "127.0.0.1"
