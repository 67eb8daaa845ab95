"""What every test may ask for: the fixtures of the real PBX rig."""

pytest_plugins = ["tests.pbx.fixtures"]
