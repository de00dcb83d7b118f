"""Every write of the core. Functions here are synchronous and own their transaction."""
