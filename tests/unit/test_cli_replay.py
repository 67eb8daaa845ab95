"""`asterpanel-exporter replay`, as its user meets it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterpanel_exporter.cli import main
from tests.exporter_process import of, parse_samples

TRACE = str(Path(__file__).parent.parent / "traces/asterisk-22/reload_during_call.ami.xz")
CONFIG = """\
agent_identity: {from: membername}
queue_settings: [{service_level_threshold: 45s}]
switchboards:
  milano: {host: 10.0.0.5, username: asterpanel, secret_env: MILANO}
"""


def run(*arguments: str) -> Result:
    return CliRunner(env={"MILANO": "s3cr3t-Of-Milano"}).invoke(main, arguments)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "asterpanel.yml"
    path.write_text(CONFIG, encoding="utf-8")
    return str(path)


def test_writes_the_final_state_and_the_metrics(tmp_path: Path) -> None:
    state, metrics = tmp_path / "state.json", tmp_path / "metrics.txt"
    done = run("replay", TRACE, "--switchboard", "m", "--state", str(state), "--metrics", str(metrics))
    assert done.exit_code == 0, done.output
    document = json.loads(state.read_text(encoding="utf-8"))
    assert document["switchboard"] == "m"
    assert document["queues"]["billing"]["members"].keys() == {"1001", "1002"}
    samples = parse_samples(metrics.read_text(encoding="utf-8"))
    assert of(samples, "asterisk_queue_calls_offered_total", switchboard="m", queue="billing") == 1
    assert "frames/s" in done.stderr


def test_uses_the_settings_of_the_switchboard_it_is_named_after(config: str) -> None:
    done = run("-c", config, "replay", TRACE, "--switchboard", "milano", "--state", "-")
    document = json.loads(done.stdout)
    assert document["agents"].keys() >= {"Alice", "Bob"}
    assert document["queues"]["billing"]["sl_threshold_s"] == 45


def test_a_name_that_the_given_configuration_lacks(config: str) -> None:
    done = run("-c", config, "replay", TRACE, "--state", "-")
    assert done.exit_code == 2
    assert "has no switchboard 'replay'" in done.stderr
    assert "--switchboard milano" in done.stderr


def test_what_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "passwd"
    path.write_text("root:x:0:0:root:/root:/bin/bash\n", encoding="ascii")
    done = run("replay", str(path), "--state", "-")
    assert done.exit_code == 1
    assert f"recording {path}: there is no AMI in it" in done.stderr
    assert done.stdout == ""
