"""From bitext and labelled sentences to labelled translations, and how well that goes."""
