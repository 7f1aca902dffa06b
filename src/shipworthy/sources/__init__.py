"""Where rows come from: files, frames, SQL and Delta tables, each read through `problem.Rows`.

A source is declared without the library that reads it, which is imported when rows are read. So a release can be served
where none of them is installed.
"""
