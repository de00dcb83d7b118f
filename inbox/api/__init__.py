"""The operators' REST interface."""
