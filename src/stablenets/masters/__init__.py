"""The master notebooks, in which each exercise is written once: what their cells are, and what is made of them."""
