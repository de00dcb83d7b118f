"""Telling other systems: signed, at least once, for three days, none waiting for another."""
