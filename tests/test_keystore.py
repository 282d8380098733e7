"""Where the master key comes from, and what becomes of the roots when it changes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cms.contract.refusals import Invalid
from cms.keys import LASTING
from cms.keystore import ASK, Opened, open_roots

PASSPHRASE = "correct horse battery"


def opened(
    data_dir: Path, named: Path | None = None, *, credentials: Path | None = None, said: str = ""
) -> Opened:
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)} if credentials else {}
    return open_roots(data_dir, named, environ=environ, ask=lambda: said)


def written(path: Path, key: bytes = b"m" * 32, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(key)
    path.chmod(mode)
    return path


def roots_of(told: Opened) -> dict[int, bytes]:
    return {version: told.roots.root(version) for version in (LASTING, *told.roots.versions)}


def test_without_a_word_the_master_key_is_made_beside_the_data_and_that_is_said(tmp_path: Path) -> None:
    first = opened(tmp_path)
    assert first.beside_data and first.former is None
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    first.roots.renew()
    assert roots_of(opened(tmp_path)) == roots_of(first), "a restart finds the same"


def test_a_data_directory_of_before_keeps_its_key_as_the_lasting_root(tmp_path: Path) -> None:
    written(tmp_path / "secret.key", b"o" * 32)
    assert opened(tmp_path).roots.root(LASTING) == b"o" * 32


def test_the_file_tells_no_root(tmp_path: Path) -> None:
    told = opened(tmp_path, written(tmp_path / "elsewhere/master"))
    told.roots.renew()
    content = (tmp_path / "keys.json").read_bytes()
    for root in roots_of(told).values():
        assert root not in content and root.hex().encode() not in content


@pytest.mark.parametrize(
    "form", [b"m" * 32, b"6d" * 32 + b"\n", b"bW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW0=\n"]
)
def test_a_master_key_may_be_written_as_bytes_hexadecimal_or_base64(tmp_path: Path, form: bytes) -> None:
    data = tmp_path / "data"
    data.mkdir()
    first = opened(data, written(tmp_path / "master"))
    again = opened(data, written(tmp_path / "master", form))
    assert roots_of(again) == roots_of(first) and not again.beside_data


def test_a_credential_of_systemd_comes_before_everything_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    written(tmp_path / "run/cms-master-key", b"c" * 32, 0o440)
    told = opened(data, written(tmp_path / "master"), credentials=tmp_path / "run")
    assert "credential" in told.source and not told.beside_data
    assert not (data / "secret.key").exists()


def test_a_passphrase_opens_what_it_closed_and_another_does_not(tmp_path: Path) -> None:
    first = opened(tmp_path, ASK, said=PASSPHRASE)
    assert roots_of(opened(tmp_path, ASK, said=PASSPHRASE)) == roots_of(first)
    with pytest.raises(Invalid, match="was not made with the master key from a passphrase"):
        opened(tmp_path, ASK, said=PASSPHRASE + "?")
    with pytest.raises(Invalid, match="12 characters"):
        opened(tmp_path, ASK, said="short")


def test_the_master_key_moves_out_of_the_data_directory_without_a_change_of_any_root(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    before = roots_of(opened(data))
    moved = opened(data, written(tmp_path / "master"))
    assert roots_of(moved) == before
    assert moved.former == data / "secret.key", "what is no longer needed there is said"
    (data / "secret.key").unlink()
    assert roots_of(opened(data, tmp_path / "master")) == before


def test_another_master_key_takes_over_from_the_former_one_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    before = roots_of(opened(data, written(tmp_path / "master", b"1" * 32)))
    written(tmp_path / "master", b"2" * 32)
    with pytest.raises(Invalid, match="was not made with"):
        opened(data, tmp_path / "master")
    written(tmp_path / "master.former", b"1" * 32)
    assert roots_of(opened(data, tmp_path / "master")) == before
    (tmp_path / "master.former").unlink()
    assert roots_of(opened(data, tmp_path / "master")) == before


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"m" * 32, 0o644, "everybody"),
        (b"short", 0o600, "no master key"),
        (b"6d" * 30, 0o600, "no master key"),
    ],
)
def test_a_master_key_that_cannot_be_one_is_refused(
    tmp_path: Path, content: bytes, mode: int, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        opened(tmp_path, written(tmp_path / "else/master", content, mode))


def test_a_missing_file_and_a_damaged_one_are_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        opened(tmp_path, tmp_path / "nowhere")
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(Invalid, match="cannot be read"):
        opened(tmp_path)
