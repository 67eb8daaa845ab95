"""What every Asterpanel service shares about a switchboard: configuration, the AMI session, typed events."""
