"""Detect distribution shift, correct it, and know when that is impossible: one module for each method.

`mmd`, `two_sample`, `classifier` and `black_box` test two samples, `online` and `adwin` read a stream; `weights`,
`ratios` and `risk` correct a shift of the inputs, `confusion`, `label` and `calibration` one of the labels; `simulate`,
`corrupt`, `loans` and `feedback` make worlds to try them in.
"""
