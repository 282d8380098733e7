"""Where things lie on this machine when nobody says otherwise: data, settings file, control socket.

The daemon and its clients must agree on this without loading each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What ``sun_path`` holds on the systems we run on, with a margin (Linux 108, macOS 104 bytes).
LONGEST_SOCKET_PATH = 100


def data_dir() -> Path:
    """The user's data directory for the daemon."""
    import platformdirs

    return Path(platformdirs.user_data_dir("cms"))


def config_file(environ: Mapping[str, str]) -> Path:
    """The settings file: CMS_CONFIG, else ``config.toml`` in the user's configuration directory."""
    if named := environ.get("CMS_CONFIG"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("cms")) / "config.toml"


def socket_path(environ: Mapping[str, str], chosen_data_dir: Path | None) -> Path:
    """The control socket: in the data directory that was chosen, else in the runtime directory."""
    if chosen_data_dir is not None:
        return chosen_data_dir / "cms.sock"
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "cms" / "cms.sock"
    return data_dir() / "cms.sock"


def daemon_socket(environ: Mapping[str, str]) -> Path:
    """Where the daemon of this user listens, told from the environment and the settings file alone."""
    if named := environ.get("CMS_SOCKET"):
        return Path(named).expanduser()
    written = _written(config_file(environ))
    if named := written.get("socket"):
        return Path(str(named)).expanduser()
    chosen = environ.get("CMS_DATA_DIR") or written.get("data_dir")
    return socket_path(environ, Path(str(chosen)).expanduser() if chosen else None)


def _written(path: Path) -> dict[str, Any]:
    """What the settings file says; nothing when there is none, or it is for the daemon to complain about."""
    if not path.is_file():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
