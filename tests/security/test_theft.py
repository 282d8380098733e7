"""T29: whoever copies the data directory, or a backup of it, holds no key, no password and no secret.

What the thief gets is every file of a daemon whose master key lies elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cms.contract.refusals import Invalid
from cms.contract.secrets import ForgetSecrets, RotateSecrets
from cms.contract.stations import AddStation
from cms.core import Actor
from cms.domain import payments as domain
from cms.domain.certificates import Use
from cms.keys import single
from cms.keystore import open_roots
from cms.operations import credentials, payments, secrets, stations
from cms.operations.secrecy import opened
from cms.pki import Trust, TrustSources
from tests.fleet import running

ANA = Actor("ana", "admin", frozenset())


def stolen(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture
def master(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "master.key"
    path.parent.mkdir()
    path.write_bytes(b"m" * 32)
    path.chmod(0o400)
    return path


async def test_a_copy_of_the_data_directory_opens_nothing(tmp_path: Path, master: Path) -> None:
    data = tmp_path / "data"
    async with running(data, ocpp_tls_port=0, master_key_file=master) as daemon:
        core = daemon.core
        password = str((await stations.add(core, AddStation("CP-7"), ANA)).password)
        roots = [core.keys.roots.root(version) for version in (0, 1)]
    everything = stolen(data)
    assert password.encode() not in everything
    assert not any(root in everything or root.hex().encode() in everything for root in roots)
    # The keys of our authority, which signs for stations; server keys last a year and are made anew.
    ours = b"".join(path.read_bytes() for path in (data / "pki" / "station").iterdir())
    assert b"ENCRYPTED PRIVATE KEY" in ours and b"BEGIN PRIVATE KEY" not in ours
    # A digest without its key cannot be guessed at: the thief's best try is a key of their own.
    assert credentials.check(single(b"t" * 32), core.lane("CP-7").state, "CP-7", password.encode()) is None
    with pytest.raises(Invalid, match="was not made with the master key"):
        open_roots(data, None, environ={})
    with pytest.raises(Invalid, match="encrypted"):
        Trust(TrustSources(data / "pki"))


async def test_the_thief_is_shut_out_of_what_comes_after_a_rotation(tmp_path: Path, master: Path) -> None:
    data = tmp_path / "data"
    async with running(data, ocpp_tls_port=0, master_key_file=master) as daemon:
        core = daemon.houses.platform
        old = core.keys.roots.root(1)
        await secrets.rotate(core, RotateSecrets(reason="a laptop was stolen"), ANA)
        told = await secrets.forget(core, ForgetSecrets(version=1), ANA)
        assert [(each.version, each.files) for each in told.versions] == [(2, 1)]
        assert core.keys.roots.root(2) != old
    async with running(data, ocpp_tls_port=0, master_key_file=master) as daemon:
        assert daemon.trust.authority(Use.STATION) is not None, "and we still sign"


async def test_a_secret_moved_to_another_row_does_not_open(tmp_path: Path) -> None:
    async with running(tmp_path) as daemon:
        core = daemon.core
        for name in ("CP-1", "CP-2"):
            await stations.add(core, AddStation(name), ANA)
            lane = core.lane(name)
            await payments._new_secret(core, lane)
        one, two = (core.lane(name).state.kept_of(domain.WEB)[""].secret for name in ("CP-1", "CP-2"))
        assert opened(core, domain.WEB, "CP-1", "", "secret", one)
        for station, sealed in (("CP-2", one), ("CP-1", two)):
            with pytest.raises(Invalid, match="not of this place"):
                opened(core, domain.WEB, station, "", "secret", sealed)
