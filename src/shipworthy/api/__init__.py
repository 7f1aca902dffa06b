"""The REST door: the same verbs with the same names and gates as on the command line."""
