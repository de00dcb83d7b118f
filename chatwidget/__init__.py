"""The visitor's edge of Frontdesk: widgets, visitor tokens, the socket and its HTTP fallback."""
