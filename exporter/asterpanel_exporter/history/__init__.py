"""What has finished on a switchboard: from typed events to records. No I/O, no clock of its own."""
