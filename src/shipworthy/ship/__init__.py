"""Stage 5, Ship: put it live, safely; did it earn what we promised?"""
