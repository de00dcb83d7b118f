"""The widget's HTTP addresses: parse, authorise, call an action, answer."""
