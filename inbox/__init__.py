"""The core of Frontdesk: visitors, conversations, messages, events and who answers."""
