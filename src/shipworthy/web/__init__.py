"""What the doors over HTTP share: a request as its handler sees it, and the status of every error."""
