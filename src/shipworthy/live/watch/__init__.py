"""The watch: what runs live against what the replay promised, and what it costs where they part.

- `live.watch.watch` looks once: it reads the window it needs, asks every check, records what opened and closed, and tells of it
- `live.watch.checks` of three kinds: `inputs`, `deciding` and `earning`, each a function that gives alerts
- `live.watch.alert` says which kinds of alert there are; docs/operations.md has a section for each
"""
