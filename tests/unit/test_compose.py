"""The container files name only what exists, and agree with the program's own defaults."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from asterpanel_switchboard.config import ControlApiConfig, ExporterConfig, Service, load_config

REPOSITORY = Path(__file__).parents[2]
DOCKERFILE = (REPOSITORY / "exporter/Dockerfile").read_text(encoding="utf-8")
CONTROL_DOCKERFILE = (REPOSITORY / "control_api/Dockerfile").read_text(encoding="utf-8")
# What a person adds before the first start; the head of docker-compose.yml says so.
CONFIGURATION = {"./config/asterpanel.yml", "./config/profiles.yml"}
SECRETS = {
    f"./secrets/{name}"
    for name in ("milano", "milano-control", "state-token", "route-default", "smtp-password")
}
ADDED_BY_HAND = CONFIGURATION | SECRETS


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


def writes_to(service: dict[str, Any], compose: dict[str, Any]) -> Path:
    """Where its only volume is."""
    [target] = [target for target, source in mounts(service).items() if source in compose["volumes"]]
    return Path(target)


def instructions(name: str, dockerfile: str = DOCKERFILE) -> list[str]:
    joined = dockerfile.replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def environment(dockerfile: str = DOCKERFILE) -> dict[str, str]:
    pairs = [pair.split("=", 1) for line in instructions("ENV", dockerfile) for pair in shlex.split(line)]
    return dict(pairs)


def test_mounted_files_exist(compose: dict[str, Any]) -> None:
    sources = [
        *(source for service in compose["services"].values() for source in mounts(service).values()),
        *(secret["file"] for secret in compose["secrets"].values()),
    ]
    named_volumes = compose["volumes"].keys()
    for source in sources:
        by_hand = any(Path(source) in (Path(path), Path(path).parent) for path in ADDED_BY_HAND)
        assert by_hand or source in named_volumes or (REPOSITORY / source).exists(), source


def test_every_service_is_locked_down(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert int(service["user"].split(":")[0]) > 0, name
        assert service["cap_drop"] == ["ALL"], name
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), f"{name}: not a pinned image"
        for port in service["ports"]:
            assert port.startswith("127.0.0.1:"), f"{name}: open to the network"
        assert set(service.get("secrets", [])) <= compose["secrets"].keys()


@pytest.mark.parametrize(
    ("name", "dockerfile", "port"),
    [
        ("exporter", DOCKERFILE, ExporterConfig().listen.port),
        ("control-api", CONTROL_DOCKERFILE, ControlApiConfig().listen.port),
    ],
)
def test_a_service_finds_its_configuration_and_listens_where_it_is_asked(
    compose: dict[str, Any], name: str, dockerfile: str, port: int
) -> None:
    service = compose["services"][name]
    config = Path(environment(dockerfile)["ASTERPANEL_CONFIG"])
    assert mounts(service)[str(config.parent)] == "./config"
    assert f"./config/{config.name}" in CONFIGURATION
    assert [entry.split(":")[-1] for entry in service["ports"]] == [str(port)]
    assert instructions("EXPOSE", dockerfile) == [str(port)]
    assert f"http://127.0.0.1:{port}/healthz" in instructions("HEALTHCHECK", dockerfile)[0]
    assert instructions("ENTRYPOINT", dockerfile) == [f'["asterpanel-{name}"]']
    assert service["user"] == instructions("USER", dockerfile)[0]
    assert (REPOSITORY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


@pytest.mark.parametrize(
    ("name", "dockerfile"), [("exporter", DOCKERFILE), ("control-api", CONTROL_DOCKERFILE)]
)
def test_what_a_service_writes_is_a_volume_of_its_own(
    compose: dict[str, Any], name: str, dockerfile: str
) -> None:
    service = compose["services"][name]
    [made] = [line for line in instructions("RUN", dockerfile) if line.startswith("install -d")]
    user, group = service["user"].split(":")
    assert made == f"install -d -o {user} -g {group} {writes_to(service, compose)}"


def test_prometheus_scrapes_the_services(compose: dict[str, Any]) -> None:
    prometheus = compose["services"]["prometheus"]
    [option] = [line for line in prometheus["command"] if line.startswith("--config.file=")]
    source = mounts(prometheus)[option.removeprefix("--config.file=")]
    scrape = yaml.safe_load((REPOSITORY / source).read_text(encoding="utf-8"))
    exporter, control_api = scrape["scrape_configs"]
    assert (exporter["job_name"], exporter["scrape_interval"]) == ("asterpanel", "5s")
    for job in (exporter, control_api):
        host, port = job["static_configs"][0]["targets"][0].split(":")
        assert [entry.split(":")[-1] for entry in compose["services"][host]["ports"]] == [port]


def option(service: dict[str, Any], name: str) -> str:
    [line] = [line for line in service["command"] if line.startswith(f"--{name}=")]
    return str(line.partition("=")[2])


def test_prometheus_finds_its_rules_and_alertmanager(compose: dict[str, Any]) -> None:
    prometheus, alertmanager = (compose["services"][name] for name in ("prometheus", "alertmanager"))
    file = Path(option(prometheus, "config.file"))
    configured = yaml.safe_load((REPOSITORY / mounts(prometheus)[str(file)]).read_text(encoding="utf-8"))
    [pattern] = configured["rule_files"]
    rules = REPOSITORY / mounts(prometheus)[str((file.parent / pattern).parent)]
    assert [rule.name for rule in rules.glob(Path(pattern).name)] == ["asterpanel.yml"]
    [group] = configured["alerting"]["alertmanagers"]
    [target] = group["static_configs"][0]["targets"]
    host, port = target.split(":")
    assert compose["services"][host] is alertmanager
    assert [entry.split(":")[-1] for entry in alertmanager["ports"]] == [port]


def test_alertmanager_finds_its_configuration_and_secret(compose: dict[str, Any]) -> None:
    alertmanager = compose["services"]["alertmanager"]
    source = mounts(alertmanager)[option(alertmanager, "config.file")]
    configured = yaml.safe_load((REPOSITORY / source).read_text(encoding="utf-8"))
    [secret] = alertmanager["secrets"]
    assert configured["global"]["smtp_auth_password_file"] == f"/run/secrets/{secret}"
    assert writes_to(alertmanager, compose) == Path(option(alertmanager, "storage.path"))


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


def test_image_and_package_are_of_one_version(compose: dict[str, Any]) -> None:
    version = subprocess.run(
        [Path(sys.executable).with_name("asterpanel-exporter"), "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]
    for name in ("exporter", "control-api"):
        assert compose["services"][name]["image"] == f"asterpanel-{name}:{version}"


FOR_CONTAINERS = {
    "listen: 127.0.0.1:9977": "listen: 0.0.0.0:9977",
    "listen: 127.0.0.1:9978": "listen: 0.0.0.0:9978",
    "exporter_url: http://127.0.0.1:9977": "exporter_url: http://exporter:9977",
    "path: asterpanel-journal.db": "path: /var/lib/asterpanel/journal.db",
    "tokens_file: control-tokens.json": "tokens_file: /var/lib/asterpanel-control/tokens.json",
}
"""What the head of docker-compose.yml wants otherwise than asterpanel.example.yml has it."""


def test_the_configuration_that_the_compose_file_describes(compose: dict[str, Any], tmp_path: Path) -> None:
    head = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8").partition("name: asterpanel")[0]
    text = (REPOSITORY / "asterpanel.example.yml").read_text(encoding="utf-8")
    for line, wanted in FOR_CONTAINERS.items():
        assert f"  {line}\n" in text
        assert wanted in head
        text = text.replace(f"  {line}\n", f"  {wanted}\n")
    before, influxdb, rest = text.partition("# The InfluxDB (2.x")
    text = before + "#" + rest.partition("# The API through which")[2]
    assert influxdb
    ours = [compose["services"][name]["secrets"] for name in ("exporter", "control-api")]
    for secret in {secret for secrets in ours for secret in secrets}:
        assert f"secrets/{secret}\n" in text
        (tmp_path / secret).write_text("a-long-enough-secret")
    (tmp_path / "annotations-default").write_text("a-long-enough-secret")
    path = tmp_path / "asterpanel.yml"
    path.write_text(text.replace("secrets/", f"{tmp_path}/"))
    config = load_config(path, {"ASTERPANEL_TORINO_SECRET": "x"})
    assert not config.exporter.listen.is_loopback
    assert config.journal.path.parent == writes_to(compose["services"]["exporter"], compose)
    control = load_config(path, {}, for_service=Service.CONTROL_API).control_api
    assert control is not None
    assert not control.listen.is_loopback
    assert control.exporter_url == f"http://exporter:{config.exporter.listen.port}"
    assert control.tokens_file.parent == writes_to(compose["services"]["control-api"], compose)
    assert control.profiles_file == tmp_path / "profiles.yml"
