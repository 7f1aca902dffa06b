"""A workspace: many projects of several squads, who works on them, and what each of them may do.

Below the doors and above the stages: it knows what every project records, and imports no project's code.
"""
