"""The plots of the board's own pages, in the look of the reports'."""
