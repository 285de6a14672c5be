"""What runs inside the sandbox. Of the package it may import only :mod:`stablenets.grading.wire`."""
