"""The container files name only what exists, and agree with the program's own defaults."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from asterpanel_exporter.cli import main
from asterpanel_switchboard.config import ControlApiConfig, ExporterConfig, load_config

REPOSITORY = Path(__file__).parents[2]
PORT = ExporterConfig().listen.port
DOCKERFILE = (REPOSITORY / "exporter/Dockerfile").read_text(encoding="utf-8")
CONTROL_DOCKERFILE = (REPOSITORY / "control_api/Dockerfile").read_text(encoding="utf-8")
# What a person adds before the first start; the head of docker-compose.yml says so.
ADDED_BY_HAND = {"./asterpanel.yml", "./secrets/milano", "./secrets/state-token"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    for path in ADDED_BY_HAND:
        assert path.removeprefix("./") in text.split("name: asterpanel")[0]
    return parsed


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Target → source of each mount."""
    return {target: source for source, target, *_ in (volume.split(":") for volume in service["volumes"])}


def instructions(name: str, dockerfile: str = DOCKERFILE) -> list[str]:
    joined = dockerfile.replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def environment() -> dict[str, str]:
    pairs = [pair.split("=", 1) for line in instructions("ENV") for pair in shlex.split(line)]
    return dict(pairs)


def test_mounted_files_exist(compose: dict[str, Any]) -> None:
    sources = [
        *(source for service in compose["services"].values() for source in mounts(service).values()),
        *(secret["file"] for secret in compose["secrets"].values()),
    ]
    named_volumes = compose["volumes"].keys()
    for source in sources:
        assert source in ADDED_BY_HAND or source in named_volumes or (REPOSITORY / source).is_file(), source


def test_every_service_is_locked_down(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert int(service["user"].split(":")[0]) > 0, name
        assert service["cap_drop"] == ["ALL"], name
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), f"{name}: not a pinned image"
        for port in service["ports"]:
            assert port.startswith("127.0.0.1:"), f"{name}: open to the network"
        assert set(service.get("secrets", [])) <= compose["secrets"].keys()


def test_exporter_finds_its_configuration_and_listens_where_it_is_asked(compose: dict[str, Any]) -> None:
    exporter = compose["services"]["exporter"]
    assert environment()["ASTERPANEL_CONFIG"] in mounts(exporter)
    assert main.params[0].envvar == "ASTERPANEL_CONFIG"
    assert [port.split(":")[-1] for port in exporter["ports"]] == [str(PORT)]
    assert instructions("EXPOSE") == [str(PORT)]
    assert f"http://127.0.0.1:{PORT}/healthz" in instructions("HEALTHCHECK")[0]
    assert exporter["user"] == instructions("USER")[0]
    assert (REPOSITORY / exporter["build"]["context"] / exporter["build"]["dockerfile"]).is_file()


def test_prometheus_scrapes_the_exporter(compose: dict[str, Any]) -> None:
    prometheus = compose["services"]["prometheus"]
    [option] = [line for line in prometheus["command"] if line.startswith("--config.file=")]
    source = mounts(prometheus)[option.removeprefix("--config.file=")]
    scrape = yaml.safe_load((REPOSITORY / source).read_text(encoding="utf-8"))
    [job] = scrape["scrape_configs"]
    assert (job["job_name"], job["scrape_interval"]) == ("asterpanel", "5s")
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert host in compose["services"]
    assert port == str(PORT)


def test_image_copies_only_what_is_there_and_let_through() -> None:
    let_through = {
        line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copies = [line for file in (DOCKERFILE, CONTROL_DOCKERFILE) for line in instructions("COPY", file)]
    copied = [path for line in copies if "--from" not in line for path in line.split()[:-1]]
    for path in copied:
        assert (REPOSITORY / path).exists(), path
        assert any(entry == path or entry.startswith(f"{path}/") for entry in let_through), path
    for entry in let_through:
        assert (REPOSITORY / entry).exists(), entry


def test_the_control_apis_image() -> None:
    port = str(ControlApiConfig().listen.port)
    assert instructions("EXPOSE", CONTROL_DOCKERFILE) == [port]
    assert f"http://127.0.0.1:{port}/healthz" in instructions("HEALTHCHECK", CONTROL_DOCKERFILE)[0]
    assert instructions("ENTRYPOINT", CONTROL_DOCKERFILE) == ['["asterpanel-control-api"]']
    assert int(instructions("USER", CONTROL_DOCKERFILE)[0].split(":")[0]) > 0


def test_image_and_package_are_of_one_version(compose: dict[str, Any]) -> None:
    version = subprocess.run(
        [Path(sys.executable).with_name("asterpanel-exporter"), "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]
    assert compose["services"]["exporter"]["image"] == f"asterpanel-exporter:{version}"


def test_configuration_as_the_compose_file_describes_it(compose: dict[str, Any], tmp_path: Path) -> None:
    """The example, changed as the head of docker-compose.yml says, is valid."""
    text = (REPOSITORY / "asterpanel.example.yml").read_text(encoding="utf-8")
    text = text.replace("listen: 127.0.0.1:9977", "listen: 0.0.0.0:9977")
    text = text.replace("path: asterpanel-journal.db", "path: /var/lib/asterpanel/journal.db")
    text, influxdb, _ = text.partition("# The InfluxDB (2.x")
    assert influxdb
    for secret in compose["secrets"]:
        assert f"secrets/{secret}\n" in text
        (tmp_path / secret).write_text("a-long-enough-secret")
    (tmp_path / "asterpanel.yml").write_text(text.replace("secrets/", f"{tmp_path}/"))
    config = load_config(tmp_path / "asterpanel.yml", {"ASTERPANEL_TORINO_SECRET": "x"})
    assert not config.exporter.listen.is_loopback
    folders = [
        target for target, source in mounts(compose["services"]["exporter"]).items() if source == "journal"
    ]
    assert folders == [str(config.journal.path.parent)]
    assert any(run.endswith(f"-o 65532 -g 65532 {folders[0]}") for run in instructions("RUN"))
