"""Stage 2, Data: is the data there to prove or disprove the idea?"""
