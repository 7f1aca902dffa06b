"""Where a rollout is put to work: an image, and the files with which Kubernetes or AWS runs it.

One file per target turns the same facts (`deployment.py`) into files. The same facts give the same bytes, and no secret is
in any of them.
"""
