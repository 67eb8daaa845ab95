"""Throw-away certificates for TLS tests, made with the openssl command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, and the authority that signed it."""

    certificate: Path
    key: Path
    authority: Path

    def server_context(self) -> ssl.SSLContext:
        """What a server needs to present it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificate(folder: Path, *names: str) -> Certificate:
    """A certificate for these subject names (``DNS:pbx.lan``, ``IP:127.0.0.1``) and its own authority.

    Skips the test where there is no openssl.
    """
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make certificates with")
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(folder / "server.pem", folder / "server.key", folder / "authority.pem")
    authority_key, request = folder / "authority.key", folder / "server.csr"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        "req", "-x509", *new_key, "-keyout", authority_key, "-out", made.authority, "-days", "2",
        "-subj", f"/CN={folder.name} authority", "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    _openssl("req", *new_key, "-keyout", made.key, "-out", request, "-subj", "/CN=server")
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={','.join(names)}\n")
    _openssl(
        "x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial",
        "-out", made.certificate, "-days", "2", "-extfile", extensions,
    )  # fmt: skip
    return made


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
