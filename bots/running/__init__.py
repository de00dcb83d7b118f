"""Turns at work: asynchronous, on the event loop of a server or worker process."""
