"""Every write of the bots' rows."""
