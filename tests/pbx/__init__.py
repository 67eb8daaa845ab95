"""The real-PBX rig: Asterisk 22 and 16 from Debian's packages, in a folder of its own, for tests and demo."""
