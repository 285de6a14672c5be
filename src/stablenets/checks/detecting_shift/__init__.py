"""The checks of the exercises on detecting shift."""
