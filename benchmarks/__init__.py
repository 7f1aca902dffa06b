"""The scripts behind every figure in the documentation; `make bench` runs them.

Each prints `machine.describe()` before its figures, and ends with 1 where a target is missed.
"""
