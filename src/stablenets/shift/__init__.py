"""Detect distribution shift, correct it, and know when that is impossible."""

from stablenets.shift.adwin import Adwin
from stablenets.shift.black_box import black_box_test
from stablenets.shift.calibration import Calibration, temperature_scaling
from stablenets.shift.classifier import classifier_test
from stablenets.shift.confusion import LabelShift, bbse, confusion_matrix, rlls
from stablenets.shift.label import EMPrior, adjust, em_prior
from stablenets.shift.mmd import linear_mmd_test, mmd_test
from stablenets.shift.online import DDM, PageHinkley, run_detector
from stablenets.shift.ratios import kliep, kmm, ulsif
from stablenets.shift.result import TestResult
from stablenets.shift.risk import Risk, fit_weighted, weighted_risk
from stablenets.shift.two_sample import KSResult, bonferroni, holm, ks_test, univariate_test
from stablenets.shift.weights import DensityRatio, OverlapWarning, density_ratio, effective_sample_size

__all__ = [
    "DDM",
    "Adwin",
    "Calibration",
    "DensityRatio",
    "EMPrior",
    "KSResult",
    "LabelShift",
    "OverlapWarning",
    "PageHinkley",
    "Risk",
    "TestResult",
    "adjust",
    "bbse",
    "black_box_test",
    "bonferroni",
    "classifier_test",
    "confusion_matrix",
    "density_ratio",
    "effective_sample_size",
    "em_prior",
    "fit_weighted",
    "holm",
    "kliep",
    "kmm",
    "ks_test",
    "linear_mmd_test",
    "mmd_test",
    "rlls",
    "run_detector",
    "temperature_scaling",
    "ulsif",
    "univariate_test",
    "weighted_risk",
]
