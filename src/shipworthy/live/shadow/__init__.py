"""The shadow: who did not answer decides the same, off the path of requests, behind walls that no write gets through."""
