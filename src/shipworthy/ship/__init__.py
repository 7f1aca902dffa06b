"""Stage 5, Ship: put it live, safely."""
