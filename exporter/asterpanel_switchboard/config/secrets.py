"""Secrets from files and the environment. No message here ever repeats a value that may be a secret."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from asterpanel_switchboard.config.values import has_control_characters

MAX_SECRET_BYTES = 4096
_CONTAINER_SECRETS = Path("/run/secrets")
"""Container engines mount secrets here, readable by everyone inside the container."""


class UnreadSecret(SecretStr):
    """A secret of another service: it is set, and was not read. Whoever asks for it gets an error."""

    def __init__(self) -> None:
        super().__init__("")

    def get_secret_value(self) -> str:
        """Raises `RuntimeError`."""
        raise RuntimeError("this secret belongs to another service and was not read")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnreadSecret)

    def __hash__(self) -> int:
        return hash(UnreadSecret)

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        raise RuntimeError("this secret belongs to another service and was not read")

    def _display(self) -> str:
        return "(not read)"


def secret_from_file(path: Path) -> str:
    """The content of the file without the newline at its end.

    Raises `ValueError` if the file cannot be read, or holds nothing or more than one line. The path is not
    part of the message: a secret that was put in its place by mistake would be printed.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SECRET_BYTES + 1)
    except FileNotFoundError:
        raise ValueError("no such file (a relative path starts at the configuration file's folder)") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ValueError(f"the file cannot be read: {reason or 'not a usable path'}") from None
    if len(raw) > MAX_SECRET_BYTES:
        raise ValueError(f"the file is larger than {MAX_SECRET_BYTES} bytes: is it the right one?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None
    return _checked(text.removesuffix("\n").removesuffix("\r"), "the file")


def secret_from_env(name: str, env: Mapping[str, str]) -> str:
    """The value of an environment variable. Raises `ValueError` if there is none or it is not one line."""
    if name not in env:
        raise ValueError("no such environment variable is set")
    return _checked(env[name], "the environment variable")


def ascii_token(token: SecretStr | None) -> SecretStr | None:
    """The token as it is. Raises `ValueError` if HTTP cannot carry it."""
    if isinstance(token, UnreadSecret):
        return token
    if token is not None and not token.get_secret_value().isascii():
        raise ValueError("must hold ASCII characters only")
    return token


def file_warnings(where: str, path: Path | None) -> Iterator[str]:
    """A warning if a secret's file can be read by everyone; ``where``: its key in the configuration."""
    if path is None or path.is_relative_to(_CONTAINER_SECRETS):
        return
    if path.stat().st_mode & stat.S_IROTH:
        yield f"{where}: {path} can be read by every user of this machine (chmod o-r {path})"


def _checked(secret: str, source: str) -> str:
    if not secret.strip():
        raise ValueError(f"{source} is empty")
    if has_control_characters(secret):
        raise ValueError(f"{source} must hold one line without control characters")
    return secret
