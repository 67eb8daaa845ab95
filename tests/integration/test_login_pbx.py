"""Logging in to a real Asterisk: TLS with its own authority, the MD5 challenge, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.exporter_process import ExporterProcess, of
from tests.pbx.fixtures import MakePbx
from tests.pbx.pbx import Pbx, wait_until


@pytest.fixture
def pbx_here(make_pbx: MakePbx) -> Pbx:
    return make_pbx(name="pbx")


def _settings(pbx: Pbx, **more: Any) -> Mapping[str, Any]:
    settings = {
        "host": pbx.host,
        "port": pbx.ami_port,
        "username": "exporter",
        "secret": pbx.secrets["exporter"],
    }
    return {"pbx": settings | more}


def _is_up(exporter: ExporterProcess) -> bool:
    return of(exporter.metrics(), "asterisk_up", switchboard="pbx") == 1.0


def _log_says(exporter: ExporterProcess, words: str) -> None:
    wait_until(lambda: words in exporter.log.read_text(encoding="utf-8"), 15, f"the log says {words!r}")


@pytest.mark.parametrize("auth", ["plain", "md5"])
def test_tls_with_its_own_authority(pbx_here: Pbx, tmp_path: Path, auth: str) -> None:
    tls = {"ca_file": str(pbx_here.tls_cert)}
    with ExporterProcess(
        tmp_path, _settings(pbx_here, port=pbx_here.ami_tls_port, tls=tls, auth=auth)
    ) as exporter:
        wait_until(lambda: _is_up(exporter), what="up over TLS")
        assert "billing" in exporter.state("pbx")["queues"]


def test_a_certificate_that_nobody_vouches_for(pbx_here: Pbx, tmp_path: Path) -> None:
    with ExporterProcess(tmp_path, _settings(pbx_here, port=pbx_here.ami_tls_port, tls=True)) as exporter:
        _log_says(exporter, "the certificate is not accepted")
        assert not _is_up(exporter)


def test_a_wrong_name_in_the_certificate(pbx_here: Pbx, tmp_path: Path) -> None:
    tls = {"ca_file": str(pbx_here.tls_cert), "server_name": "another.example"}
    with ExporterProcess(tmp_path, _settings(pbx_here, port=pbx_here.ami_tls_port, tls=tls)) as exporter:
        _log_says(exporter, "the certificate is not accepted")
        assert not _is_up(exporter)


@pytest.mark.parametrize("auth", ["plain", "md5"])
def test_a_wrong_secret_is_told_once_and_tried_slowly(pbx_here: Pbx, tmp_path: Path, auth: str) -> None:
    with ExporterProcess(tmp_path, _settings(pbx_here, secret="wr0ng-s3cret", auth=auth)) as exporter:
        _log_says(exporter, "login as 'exporter' refused: Authentication failed")
        status, body = exporter.get("/readyz")
        assert status == 503
        assert b'"session":"refused"' in body.replace(b" ", b"")
        log = exporter.log.read_text(encoding="utf-8")
        assert log.count("refused: Authentication failed") == 1
        assert "wr0ng-s3cret" not in log
        assert of(exporter.metrics(), "asterpanel_ami_reconnects_total", switchboard="pbx",
                  reason="authentication") == 0  # fmt: skip
