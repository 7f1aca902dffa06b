"""Fitted state kept as data: what `fit` returned, written so that opening it runs nothing that the file asks for.

The file is a bundle of parts, one of which is JSON: plain values stand in it as they are, and arrays, frames and models are parts
of their own. Which types opening it may make is a list that the release's manifest holds beside its size and digest.
"""

from shipworthy.ship.fitted.reading import open_fitted
from shipworthy.ship.fitted.writing import Fitted, pack_fitted

__all__ = ["Fitted", "open_fitted", "pack_fitted"]
