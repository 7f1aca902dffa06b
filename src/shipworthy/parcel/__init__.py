"""Parcels: a project, or one of its problems, in open formats: to keep, to look into, and to take in elsewhere.

- `parcel.export` writes one, `parcel.intake` takes one in
- `parcel.contents` is what stands in a manifest, and `parcel.files` reads and writes folders and zip files
"""
