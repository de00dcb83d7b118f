"""Every write of the widget's edge; synchronous functions that own their transaction."""
