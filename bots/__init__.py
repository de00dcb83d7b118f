"""The answering side of Frontdesk: bots, turns, backends, tools and knowledge."""
