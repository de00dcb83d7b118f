"""Delivery: what was committed reaches its readers, and what got lost on the way is found."""
