"""The report of a verdict: one HTML file that a product manager reads and an engineer can check.

Rendering needs the extra `report`; nothing but the command line imports what is in here.
"""
