"""Knowledge: cutting articles into passages, finding passages, quoting them. No turns, no wire."""
