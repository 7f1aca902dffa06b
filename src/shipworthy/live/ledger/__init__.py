"""The ledger: the gain that was realised against the gain that was forecast, as lines, sentences and a page."""
