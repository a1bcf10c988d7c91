"""Plans of runs, the queue that works through them, and the figures made of what they wrote."""
