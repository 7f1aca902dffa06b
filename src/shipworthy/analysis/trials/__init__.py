"""Live trials: shadow, canary and switchback, judged from tables of what was decided; each safe to be read every period."""
