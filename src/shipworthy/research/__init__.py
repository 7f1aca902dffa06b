"""Stage 3, Research: what would the challenger have decided, and what would that have earned?"""
