"""Stage 1, Idea: what do we believe, why, and what would it be worth?"""
