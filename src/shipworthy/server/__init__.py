"""The server: API and board in one process, behind who may sign in."""
