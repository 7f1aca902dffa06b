"""How honest is shipworthy? Simulations of what it promises, beside what is usually done instead.

    offline     one idea on one history: false ships, coverage, power, over 148 settings and those that no method can master
    ideas       many ideas on one history: batch, ledger, and an analyst who averages what looked good
    live        a year of daily looks: shadow, canary, switchback
    forecasts   a programme of 100 ideas: what was forecast against what was realised

python -m benchmarks.honesty                        everything
python -m benchmarks.honesty offline --replicates 200 --seed 7
"""
