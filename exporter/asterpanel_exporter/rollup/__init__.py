"""What reports sum up, by half hour, made from the journal's points: fast, and by local hour and weekday."""
