"""From bitext and labelled sentences to labelled translations, and how well that goes."""

# Projected entities with less confidence are left out, by the commands and by the functions.
THRESHOLD = 0.5
