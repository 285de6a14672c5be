"""The checks of the exercises on feedback and other gaps."""
