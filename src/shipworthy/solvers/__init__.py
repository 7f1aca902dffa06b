"""Thin adapters: each runs a model that you wrote in the solver's own way, and keeps the account of it.

One module per solver, which alone imports the solver's library:

    cp_sat    OR-Tools CP-SAT, a `cp_model.CpModel`
    math_opt  OR-Tools MathOpt, a `mathopt.Model`
    routing   OR-Tools routing, a `pywrapcp.RoutingModel`
    highs     HiGHS, a `highspy.Highs`
    vrp       PyVRP, a `pyvrp.Model`
    called    whatever else can be called

Each has one function, `solve(model, now, ...)`, which takes the seed and the seconds left from `now` and gives a `Solved`.
There is no modelling layer here: values are read from the solver's own object, `Solved.solution`.
"""
