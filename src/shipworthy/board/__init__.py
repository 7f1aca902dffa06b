"""The board: pages that a squad likes to have open, rendered here, that load nothing from elsewhere."""
