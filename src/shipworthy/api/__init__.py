"""The REST door: one table of endpoints, from which routes, OpenAPI, the permission table and the Python client follow."""
