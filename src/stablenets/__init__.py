"""Stable Nets: why deep networks start, train and stay right, as code that can be run and checked."""

__version__ = "0.1.0"
